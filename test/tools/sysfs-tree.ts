import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/** A directory with the files that a test wants below /sys, /proc and /dev, for `--root`. */
export class SysfsTree implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'dmabroker-tree-'));

  /** Writes files by their path. */
  files(contents: Readonly<Record<string, string | Buffer>>): this {
    for (const [path, content] of Object.entries(contents)) {
      this.directory(dirname(path));
      writeFileSync(join(this.root, path), content);
    }
    return this;
  }

  directory(path: string): this {
    mkdirSync(join(this.root, path), { recursive: true });
    return this;
  }

  /** A relative link, as sysfs has them; what it leads to need not be there. */
  link(path: string, target: string): this {
    this.directory(dirname(path));
    symlinkSync(relative(dirname(path), target), join(this.root, path));
    return this;
  }

  /** A DRM node: its class link, its number and its device. */
  drm(name: string, number: string, device: string): this {
    return this.#classDevice('drm', name, number, device, `/dev/dri/${name}`);
  }

  /** A V4L2 node, in the same way. */
  video(name: string, number: string, device: string): this {
    return this.#classDevice('video4linux', name, number, device, `/dev/${name}`);
  }

  #classDevice(kind: string, name: string, number: string, device: string, node: string): this {
    const own = `${device}/${kind}/${name}`;
    // The node comes last, as on a real machine: a daemon that watches /dev reads the rest at once.
    return this.files({ [`${own}/dev`]: `${number}\n` })
      .link(`${own}/device`, device)
      .link(`/sys/class/${kind}/${name}`, own)
      .files({ [node]: '' });
  }

  /** Memory of a small machine: 512 MiB at 0, 512 MiB from 4 GiB on. */
  memory(extra = ''): this {
    const zone = (name: string, start: number, pages: number): string =>
      `Node 0, zone ${name}\n  pages free 1\n        spanned  ${pages}\n        present  ${pages}\n  start_pfn:  ${start}\n`;
    return this.files({
      '/proc/meminfo': `MemTotal:        1000000 kB\nMemFree:  1 kB\n${extra}`,
      '/proc/zoneinfo':
        zone('DMA32', 1, 131_071) + zone('Normal', 1_048_576, 131_072) + zone('Movable', 0, 0),
      '/proc/sys/kernel/osrelease': '6.12.0\n',
      '/proc/sys/kernel/arch': 'x86_64\n',
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
