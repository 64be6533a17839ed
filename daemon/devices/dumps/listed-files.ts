import { createHash } from 'node:crypto';

import { KernelFiles, naturalOrder, type Warn } from '../sysfs.js';
import { linesOf, requireFewer } from './dump-lines.js';
import { DUMP_LIMITS, type DumpText } from './dump-types.js';

/**
 * A line of `grep -s . FILES`, which is how people attach sysfs: the path, a colon, a line of the file. Names of PCI and ACPI
 * devices have colons of their own.
 */
const LINE =
  /^(\/(?:sys|proc)(?:\/(?:pci[0-9a-f]{4}:[0-9a-f]{2}|[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]|[A-Z]{3,4}[0-9A-F]{4}:[0-9a-f]{2}|[^/:\s]+)){1,32}):(.*)$/;

/** Whether a text has lines of `grep` over /sys or /proc in it. */
export const isListing = (text: string): boolean => /^\/(sys|proc)\/[^:\s]+:/m.test(text);

/** The files of /sys and /proc that listings show, by path. @throws {DumpError} */
export function readListings(dumps: readonly DumpText[]): ReadonlyMap<string, string> {
  const lines = new Map<string, string[]>();
  for (const dump of dumps) {
    for (const { text, number } of linesOf(dump)) {
      const [, path, value] = LINE.exec(text) ?? [];
      if (path === undefined || value === undefined) continue;
      const known = lines.get(path);
      if (known === undefined) {
        requireFewer(dump, number, lines.size, DUMP_LIMITS.listedFiles, 'files');
        lines.set(path, [value]);
      } else known.push(value);
    }
  }
  return new Map([...lines].map(([path, texts]) => [path, texts.join('\n')]));
}

/**
 * A machine's /sys and /proc as a listing shows them, in the place of the files themselves. Links are not in a listing: what
 * they tell stands in `uevent` (driver, PCI id, `compatible`), which every device has.
 */
export class ListedFiles extends KernelFiles {
  readonly #files: ReadonlyMap<string, string>;
  /** Names in each directory. */
  readonly #names = new Map<string, Set<string>>();

  constructor(files: ReadonlyMap<string, string>, warn: Warn) {
    super('', warn);
    this.#files = files;
    for (const path of files.keys()) {
      const names = path.split('/');
      for (let length = names.length - 1; length > 0; length--) {
        const directory = names.slice(0, length).join('/');
        const inside = this.#names.get(directory) ?? new Set();
        this.#names.set(directory, inside.add(names[length] ?? ''));
      }
    }
  }

  override bytes(path: string): Promise<Buffer | undefined> {
    const text = this.#files.get(path) ?? this.#ofUevent(path);
    return Promise.resolve(text === undefined ? undefined : Buffer.from(text));
  }

  override list(path: string): Promise<readonly string[]> {
    return Promise.resolve([...(this.#names.get(path) ?? [])].sort(naturalOrder));
  }

  override exists(path: string): Promise<boolean> {
    return Promise.resolve(this.#files.has(path) || this.#names.has(path));
  }

  /** Two nodes of one device have the same `device/uevent`, and so lead to the same place. */
  override resolve(path: string): Promise<string | undefined> {
    const uevent = this.#files.get(`${path}/uevent`);
    const place = uevent === undefined ? undefined : createHash('sha256').update(uevent).digest('hex');
    return Promise.resolve(place);
  }

  override linkName(path: string): Promise<string | undefined> {
    const [, device = '', link = ''] = /^(.*)\/([^/]+)$/.exec(path) ?? [];
    if (link === 'driver') return Promise.resolve(this.#uevent(device).get('DRIVER'));
    const isPci = link === 'subsystem' && this.#uevent(device).has('PCI_ID');
    return Promise.resolve(isPci ? 'pci' : undefined);
  }

  override warning(warn: Warn): KernelFiles {
    return new ListedFiles(this.#files, warn);
  }

  #ofUevent(path: string): string | undefined {
    const [, device = '', name = ''] = /^(.*\/device)\/(vendor|device|of_node\/compatible)$/.exec(path) ?? [];
    if (name === '') return undefined;
    const uevent = this.#uevent(device);
    const [vendor, product] = uevent.get('PCI_ID')?.toLowerCase().split(':') ?? [];
    if (name === 'vendor') return vendor && `0x${vendor.padStart(4, '0')}`;
    if (name === 'device') return product && `0x${product.padStart(4, '0')}`;
    const compatible = [...uevent].filter(([key]) => /^OF_COMPATIBLE_\d+$/.test(key));
    return compatible.length === 0 ? undefined : compatible.map(([, value]) => `${value}\0`).join('');
  }

  #uevent(device: string): ReadonlyMap<string, string> {
    const pairs = [...(this.#files.get(`${device}/uevent`) ?? '').matchAll(/^([A-Z_0-9]+)=(.*)$/gm)];
    return new Map(pairs.map(([, key = '', value = '']) => [key, value]));
  }
}
