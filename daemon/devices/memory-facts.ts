import type { Fact } from './inventory.js';
import { kernelSource, type KernelFiles } from './sysfs.js';

const ZONEINFO = '/proc/zoneinfo';
/** A zone lists every CPU: a server of 512 CPUs and 8 nodes stays below this. */
const MAX_ZONEINFO_BYTES = 4 * 1024 * 1024;

/** What the kernel says of the machine's RAM. Bytes. */
export interface MemoryFacts {
  readonly ram: Fact<bigint>;
  readonly ramTop: Fact<bigint>;
  /** RAM set aside for contiguous buffers; 0 without CMA. */
  readonly cmaTotal: bigint;
  /** First address above the zones that have such memory, where the kernel tells (from Linux 5.12 on). */
  readonly cmaTop?: Fact<bigint>;
  readonly pageSize: bigint;
}

/** Total RAM in bytes, from outside the kernel's files. */
export type RamReader = () => Promise<number>;

/**
 * @param live whether the files are of the running machine: then `reader` says how much RAM there is, otherwise
 * /proc/meminfo below the root does; each stands in when the other is silent
 */
export async function readMemory(files: KernelFiles, reader: RamReader, live: boolean): Promise<MemoryFacts> {
  const meminfo = await readMeminfo(files);
  const total = meminfo.get('MemTotal');
  if (total === undefined && !live) files.warn(MEMINFO, 'has no MemTotal');
  const size = live || total === undefined ? ((await ramOf(files, reader)) ?? total) : total;
  const ram = { value: size ?? 0n, source: kernelSource(MEMINFO) };
  const pageSize = await readPageSize(files);
  const zones = parseZoneinfo((await files.text(ZONEINFO, MAX_ZONEINFO_BYTES)) ?? '');
  const top = topOf(zones.filter(({ present }) => present > 0n)) * pageSize;
  const cmaTop = topOf(zones.filter(({ cma }) => cma > 0n)) * pageSize;
  if (top === 0n) files.warn(ZONEINFO, 'does not tell where RAM ends; taken to end at its size');
  return {
    ram,
    ramTop: top === 0n ? ram : { value: top, source: kernelSource(ZONEINFO) },
    cmaTotal: meminfo.get('CmaTotal') ?? 0n,
    ...(cmaTop > 0n && { cmaTop: { value: cmaTop, source: kernelSource(ZONEINFO) } }),
    pageSize,
  };
}

async function ramOf(files: KernelFiles, reader: RamReader): Promise<bigint | undefined> {
  try {
    const bytes = await reader();
    if (Number.isSafeInteger(bytes) && bytes > 0) return BigInt(bytes);
  } catch {
    // Said below, as of a size that makes no sense.
  }
  files.warn(MEMINFO, 'the size of RAM could not be learned');
  return undefined;
}

/** Pages. */
interface Zone {
  readonly start: bigint;
  readonly spanned: bigint;
  readonly present: bigint;
  readonly cma: bigint;
}

function parseZoneinfo(text: string): readonly Zone[] {
  return text
    .split(/^Node \d+, zone/m)
    .slice(1)
    .map((zone) => ({
      start: pages(zone, /^\s+start_pfn:\s+(\d{1,15})$/m),
      spanned: pages(zone, /^\s+spanned\s+(\d{1,15})$/m),
      present: pages(zone, /^\s+present\s+(\d{1,15})$/m),
      cma: pages(zone, /^\s+cma\s+(\d{1,15})$/m),
    }));
}

const pages = (zone: string, shape: RegExp): bigint => BigInt(shape.exec(zone)?.[1] ?? 0);

/** First page above the highest of some zones. */
const topOf = (zones: readonly Zone[]): bigint =>
  zones.map(({ start, spanned }) => start + spanned).reduce((a, b) => (a > b ? a : b), 0n);

export const MEMINFO = '/proc/meminfo';

/** Bytes by name (`CmaFree`). What is no line of numbers is passed over. */
export async function readMeminfo(files: KernelFiles): Promise<ReadonlyMap<string, bigint>> {
  const lines = ((await files.text(MEMINFO)) ?? '').matchAll(/^(\w+):\s+(\d{1,15}) kB$/gm);
  return new Map([...lines].map(([, name = '', kib = '0']) => [name, BigInt(kib) * 1024n]));
}

const AUXV = '/proc/self/auxv';
const AT_NULL = 0n;
const AT_PAGESZ = 6n;

/** For a tree that holds no process: the smallest page that any supported machine has. */
const MIN_PAGE_BYTES = 4096n;

/** Bytes of a page, as the kernel told this process at its start. */
export async function readPageSize(files: KernelFiles): Promise<bigint> {
  const vector = (await files.bytes(AUXV)) ?? Buffer.alloc(0);
  return entry(vector, 8) ?? entry(vector, 4) ?? MIN_PAGE_BYTES;
}

/** Pairs of two words, as long as a word of the process is; a vector read with the wrong length has no such entry. */
function entry(vector: Buffer, word: 4 | 8): bigint | undefined {
  const at = (offset: number): bigint =>
    word === 8 ? vector.readBigUInt64LE(offset) : BigInt(vector.readUInt32LE(offset));
  for (let i = 0; i + 2 * word <= vector.length; i += 2 * word) {
    const [key, value] = [at(i), at(i + word)];
    if (key === AT_PAGESZ && isPage(value)) return value;
    if (key === AT_NULL) return undefined;
  }
  return undefined;
}

const isPage = (size: bigint): boolean =>
  size >= MIN_PAGE_BYTES && size <= 65_536n && (size & (size - 1n)) === 0n;
