// Two views of Debian's packages: what this machine's apt is configured for, and the suites where newer kernels are.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { cached } from '../cache.mjs';

/** By codename: a mirror can lag behind in what `stable-backports` means. */
const NEWER = ['trixie-backports', 'sid'];
/** Milliseconds after which newer kernels are looked for again. */
const WEEK = 7 * 86_400_000;
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

export const run = (program, args, options = {}) =>
  execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });

/** apt with the lists of some suites. */
export class Apt {
  #options;
  #mayUpdate;

  constructor(options, mayUpdate) {
    this.#options = options;
    this.#mayUpdate = mayUpdate;
  }

  /** @param {'apt-get' | 'apt-cache'} program */
  run(program, args, options = {}) {
    return run(program, [...this.#options, ...args], { stdio: 'pipe', ...options });
  }

  update() {
    process.stdout.write('fetching the lists of packages\n');
    this.run('apt-get', ['-qq', 'update']);
  }

  /** Tries again with new lists of packages, because a machine may have none, or those of versions that are gone. */
  withLists(attempt) {
    try {
      return attempt();
    } catch (error) {
      if (!this.#mayUpdate) throw new Error(`${error.message}\n(apt-get update may help)`, { cause: error });
      this.update();
      return attempt();
    }
  }

  /** @returns {readonly { name: string, version: string, depends: readonly string[] }[]} every version that there is */
  versions(...names) {
    let text = '';
    try {
      text = this.run('apt-cache', ['show', ...names]);
    } catch {
      // There is no such package.
    }
    return text
      .split('\n\n')
      .filter((stanza) => stanza.trim() !== '')
      .map((stanza) => {
        const field = (key) => new RegExp(`^${key}: (.+)`, 'm').exec(stanza)?.[1] ?? '';
        return {
          name: field('Package'),
          version: field('Version'),
          depends: field('Depends')
            .split(/[,|]/)
            .map((one) => one.trim().split(' ')[0]),
        };
      });
  }
}

/** apt as this machine has it. */
export const configuredApt = () => new Apt([], process.getuid?.() === 0);

/** apt with lists of its own, which need no right and change nothing on this machine. */
export function newerApt() {
  const uri = mirror();
  const signed = existsSync(KEYRING) ? ` [signed-by=${KEYRING}]` : '';
  const sources = NEWER.map((suite) => `deb${signed} ${uri} ${suite} main\n`).join('');
  const week = Math.floor(Date.now() / WEEK);
  const directory = cached('apt', [sources, String(week)], (made) => {
    writeFileSync(join(made, 'sources.list'), sources);
    for (const name of ['lists', 'cache']) mkdirSync(join(made, name, 'partial'), { recursive: true });
    privateApt(made).update();
  });
  return privateApt(directory);
}

const privateApt = (directory) =>
  new Apt(
    Object.entries({
      'Dir::Etc::sourcelist': join(directory, 'sources.list'),
      'Dir::Etc::sourceparts': '-',
      'Dir::State::lists': join(directory, 'lists'),
      'Dir::Cache': join(directory, 'cache'),
      // Some machines keep none, and then every question takes seconds.
      'Dir::Cache::pkgcache': 'pkgcache.bin',
      // The user that apt otherwise fetches as cannot look into root's directories.
      'APT::Sandbox::User': 'root',
    }).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    true,
  );

/** The archive that this machine's apt is configured for; that of security updates has no other suites. */
function mirror() {
  const apt = configuredApt();
  return apt.withLists(() => {
    const format = '$(REPO_URI) $(RELEASE)';
    const lines = apt
      .run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages', 'Origin: Debian'])
      .split('\n')
      .map((line) => line.split(' '));
    const found = lines.find(([, suite]) => suite !== undefined && !suite.endsWith('-security'));
    if (found === undefined) throw new Error('apt has no archive of Debian among its sources');
    return found[0];
  });
}
