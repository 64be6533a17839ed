import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { ensure, LIBRARY_TOOLS } from '../../../tools/ensure.mjs';
import { LIBRARY } from '../../c/rig.js';

const run = promisify(execFile);
const PLUGIN = fileURLToPath(new URL('../../../../client/integrations/gstreamer/', import.meta.url));
const PROGRAMS = fileURLToPath(new URL('.', import.meta.url));

export const hasGstreamer = ensure([...LIBRARY_TOOLS, 'gstreamer1.0-tools', 'gstreamer1.0-plugins-base'], {
  optional: true,
});

/** What a program says, by its first word; a word that comes several times has the lines in order. */
export type Said = Readonly<Record<string, readonly string[]>>;

/** Library and plugin, built by meson as packages are, with the compiler's sanitizers in them. */
export class Gstreamer {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async build(directory: string): Promise<Gstreamer> {
    const built = new Gstreamer(directory);
    await built.#install('library', LIBRARY);
    await built.#install('plugin', PLUGIN);
    const names = ['gstreamer-1.0', 'gstreamer-video-1.0', 'gstreamer-allocators-1.0'];
    const { stdout } = await run('pkg-config', ['--cflags', '--libs', ...names]);
    const flags = ['-std=c11', '-g', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined'];
    // GLib's table of names, which it makes when it is loaded, is not always found again.
    writeFileSync(join(directory, 'suppressions'), 'leak:call_init\n');
    for (const name of ['pipeline', 'pool'])
      await run('gcc', [
        ...flags,
        ...['-o', join(directory, name), `${PROGRAMS}${name}.c`],
        ...stdout.trim().split(/\s+/),
      ]);
    return built;
  }

  async #install(name: string, source: string): Promise<void> {
    const build = join(this.#directory, name);
    const env = this.#env({ PKG_CONFIG_PATH: join(this.#directory, 'root/lib/pkgconfig') });
    const options = [`--prefix=${this.#directory}/root`, '--libdir=lib', '--werror', '--buildtype=debug'];
    // The program brings the sanitizers' own library.
    const sanitizers = ['-Db_sanitize=address,undefined', '-Db_lundef=false', '-Dc_link_args=-Wl,-z,undefs'];
    await run('meson', ['setup', build, source, ...options, ...sanitizers], { env });
    await run('meson', ['install', '-C', build], { env });
  }

  #env(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    mkdirSync(join(this.#directory, 'home'), { recursive: true });
    return {
      ...process.env,
      LD_LIBRARY_PATH: join(this.#directory, 'root/lib'),
      GST_PLUGIN_PATH: join(this.#directory, 'root/lib/gstreamer-1.0'),
      GST_REGISTRY: join(this.#directory, 'registry'),
      // The scanner is a program without sanitizers.
      GST_REGISTRY_FORK: 'no',
      LSAN_OPTIONS: `print_suppressions=0:suppressions=${this.#directory}/suppressions`,
      ASAN_OPTIONS: 'fast_unwind_on_malloc=0',
      HOME: join(this.#directory, 'home'),
      ...more,
    };
  }

  async #output(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { stdout, stderr } = await run(program, args, { env: this.#env(env), timeout: 90_000 });
    if (stderr !== '') throw new Error(stderr);
    return stdout;
  }

  /** What `gst-inspect-1.0` says of the element. */
  async inspect(): Promise<string> {
    const { stdout } = await run('gcc', ['-print-file-name=libasan.so']);
    // Of its own leaks nothing is asked.
    const env = { LD_PRELOAD: stdout.trim(), ASAN_OPTIONS: 'detect_leaks=0' };
    return this.#output('gst-inspect-1.0', ['dmabroker'], env);
  }

  /**
   * @param description with a fakesink that is named `sink`
   * @param more options of `pipeline.c`, and caps
   */
  async play(description: string, ...more: readonly string[]): Promise<Said> {
    const options = more.filter((each) => each.startsWith('-'));
    const caps = more.filter((each) => !each.startsWith('-'));
    return this.#said('pipeline', ...options, description, ...caps);
  }

  /** What `pool.c` says. */
  async askPool(bus: string, devices: string, caps: string): Promise<Said> {
    return this.#said('pool', bus, devices, caps);
  }

  async #said(program: string, ...args: readonly string[]): Promise<Said> {
    const stdout = await this.#output(join(this.#directory, program), args);
    const said: Record<string, string[]> = {};
    for (const line of stdout.trimEnd().split('\n')) {
      const [word = '', ...rest] = line.split(' ');
      (said[word] ??= []).push(rest.join(' '));
    }
    return said;
  }
}
