import type { KernelFiles } from './sysfs.js';

const BASE = '/sys/firmware/devicetree/base';
const RESERVED = `${BASE}/reserved-memory`;

/** A node under /reserved-memory: RAM that the device tree sets aside. */
export interface ReservedMemory {
  /** Name of the node, unit address included; a CMA heap made from it carries the same one. */
  readonly name: string;
  readonly path: string;
  readonly phandle: number | undefined;
  /** Bytes, where the node says how many. */
  readonly size: bigint | undefined;
  /** First address that is certainly above it. */
  readonly top: bigint | undefined;
  /** Whether it is CMA memory, which the kernel uses itself while no device has it. */
  readonly reusable: boolean;
}

/** Model and `compatible` of the board; empty where there is no device tree. */
export async function readBoard(
  files: KernelFiles,
): Promise<{ readonly model: string | undefined; readonly compatible: readonly string[] }> {
  const [model] = await readStrings(files, `${BASE}/model`);
  return { model, compatible: await readStrings(files, `${BASE}/compatible`) };
}

/** A property that is a list of strings, each ended by NUL. */
export async function readStrings(files: KernelFiles, path: string): Promise<readonly string[]> {
  const text = await files.text(path);
  return (text ?? '').split('\0').filter((entry) => entry !== '');
}

export async function readReservedMemory(files: KernelFiles): Promise<readonly ReservedMemory[]> {
  const addressCells = (await readCells(files, `${RESERVED}/#address-cells`))[0] ?? 2;
  const sizeCells = (await readCells(files, `${RESERVED}/#size-cells`))[0] ?? 1;
  const nodes: ReservedMemory[] = [];
  for (const name of await files.list(RESERVED)) {
    const path = `${RESERVED}/${name}`;
    // Properties of /reserved-memory itself stand among its nodes; only a node is a directory.
    if ((await files.list(path)).length === 0) continue;
    const fixed = pairs(await readCells(files, `${path}/reg`), addressCells, sizeCells);
    const movable = pairs(await readCells(files, `${path}/alloc-ranges`), addressCells, sizeCells);
    const [phandle] = await readCells(files, `${path}/phandle`);
    nodes.push({
      name,
      path,
      phandle,
      size: sizeOf(fixed) ?? number(await readCells(files, `${path}/size`), sizeCells),
      top: topOf(fixed) ?? topOf(movable),
      reusable: await files.exists(`${path}/reusable`),
    });
  }
  return nodes;
}

/** The reserved memory that a device's `memory-region` names first, with the property that says so. */
export async function readMemoryRegion(
  files: KernelFiles,
  device: string,
  reserved: readonly ReservedMemory[],
): Promise<{ readonly memory: ReservedMemory; readonly path: string } | undefined> {
  const path = `${device}/of_node/memory-region`;
  const [phandle] = await readCells(files, path);
  if (phandle === undefined) return undefined;
  const memory = reserved.find((node) => node.phandle === phandle);
  if (memory === undefined) files.warn(path, 'names no node under /reserved-memory');
  return memory && { memory, path };
}

/** A property of 32-bit big-endian cells. */
async function readCells(files: KernelFiles, path: string): Promise<readonly number[]> {
  const contents = await files.bytes(path);
  if (contents === undefined) return [];
  if (contents.length % 4 !== 0) {
    files.warn(path, 'is not a list of cells');
    return [];
  }
  return Array.from({ length: contents.length / 4 }, (_, i) => contents.readUInt32BE(4 * i));
}

interface Range {
  readonly start: bigint;
  readonly size: bigint;
}

function pairs(cells: readonly number[], addressCells: number, sizeCells: number): readonly Range[] {
  const step = addressCells + sizeCells;
  if (step === 0) return [];
  return Array.from({ length: Math.floor(cells.length / step) }, (_, i) => ({
    start: number(cells.slice(i * step), addressCells) ?? 0n,
    size: number(cells.slice(i * step + addressCells), sizeCells) ?? 0n,
  }));
}

/** A number of `count` cells, the highest first. */
const number = (cells: readonly number[], count: number): bigint | undefined =>
  cells.length < count || count === 0
    ? undefined
    : cells.slice(0, count).reduce((value, cell) => (value << 32n) | BigInt(cell), 0n);

const sizeOf = (ranges: readonly Range[]): bigint | undefined =>
  ranges.length === 0 ? undefined : ranges.reduce((sum, { size }) => sum + size, 0n);

const topOf = (ranges: readonly Range[]): bigint | undefined =>
  ranges.length === 0
    ? undefined
    : ranges.map(({ start, size }) => start + size).reduce((a, b) => (a > b ? a : b));
