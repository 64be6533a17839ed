import { readBusFacts, type BusFacts } from '../bus-facts.js';
import type { ReservedMemory } from '../device-tree.js';
import { readModesFromSysfs } from '../display-modes.js';
import { deviceOf, dumbHeap, frameLimits, type DriverFacts } from '../drm-facts.js';
import { readScanoutFormats } from '../drm-formats.js';
import { readDrmNodes, type DrmNode } from '../drm-nodes.js';
import type { Device, HeapFacts } from '../inventory.js';
import type { KernelFiles } from '../sysfs.js';
import { DUMP_LIMITS, type CardDump } from './dump-types.js';
import { matchDumps } from './match-dumps.js';
import { standIn } from './unknown.js';

/** The kernel's major number of DRM, and the first minor of a render node (drm_drv.c). */
const MAJOR = 226;
const FIRST_RENDER = 128;

/** A card as /sys has it. */
interface ListedCard {
  readonly main: DrmNode;
  readonly others: readonly DrmNode[];
  readonly bus: BusFacts;
  readonly modes: Device['modes'];
}

/**
 * The cards of the dumps: those that /sys lists, with what drm_info and modetest say of them, then those that these alone
 * know.
 */
export async function cardsOf(
  files: KernelFiles,
  reserved: readonly ReservedMemory[],
  dumps: readonly CardDump[],
): Promise<{ readonly devices: readonly Device[]; readonly heaps: readonly HeapFacts[] }> {
  const listed = await readListed(files, reserved);
  const matched = matchDumps(listed, dumps, isOf);
  const names = new Names(listed.flatMap(({ main, others: more }) => [main, ...more]));
  const cards = [
    ...listed.map((card) => ({ card, dump: matched.of.get(card) })),
    ...matched.others.map((dump) => ({ card: names.give(dump), dump })),
  ];
  const devices = cards.map(({ card, dump }) => deviceOf(card, card.bus, factsOf(card, dump)));
  const heaps = devices.filter((_, i) => cards[i]?.dump?.dumbBuffers === true).map(dumbHeap);
  return { devices, heaps };
}

async function readListed(
  files: KernelFiles,
  reserved: readonly ReservedMemory[],
): Promise<readonly ListedCard[]> {
  const cards: ListedCard[] = [];
  for (const { main, others, path } of (await readDrmNodes(files)).slice(0, DUMP_LIMITS.cards)) {
    const bus = await listedBus(files, `${path}/device`, reserved);
    cards.push({ main, others, bus, modes: await readModesFromSysfs(files, path) });
  }
  return cards;
}

/** What a listing says of a device's bus. A link to its IOMMU group is in none; the group's type may be. */
export async function listedBus(
  files: KernelFiles,
  device: string,
  reserved: readonly ReservedMemory[],
): Promise<BusFacts> {
  const bus = await readBusFacts(files, device, reserved);
  const path = `${device}/iommu_group/type`;
  const type = await files.match(path, /^[A-Za-z][A-Za-z-]{0,30}$/, 'a type of IOMMU domain');
  return {
    ...bus,
    iommu: type === undefined ? standIn('unknown') : { value: type, source: `kernel:${path}` },
  };
}

/** By the node or, of a dump that names none, by the driver. */
const isOf = (dump: CardDump, { main, bus }: ListedCard): boolean =>
  dump.node === undefined ? dump.driver === undefined || dump.driver === bus.driver : dump.node === main.node;

function factsOf(card: ListedCard, dump: CardDump | undefined): DriverFacts {
  const isDisplay = dump === undefined ? card.modes.length > 0 : dump.planes.length > 0 || dump.crtcs > 0;
  const modes = dump === undefined || dump.modes.length === 0 ? card.modes : dump.modes;
  return {
    asked: dump !== undefined,
    ...(dump?.driver !== undefined && { driver: dump.driver }),
    ...(dump?.imports !== undefined && {
      imports: { value: dump.imports, source: 'kernel:DRM_CAP_PRIME' },
    }),
    dumbBuffers: dump?.dumbBuffers === true,
    ...(isDisplay && { display: { formats: formatsOf(dump), limits: limitsOf(dump), modes } }),
  };
}

const limitsOf = (dump: CardDump | undefined): Device['limits'] =>
  dump?.largest === undefined
    ? []
    : frameLimits({ maxWidth: dump.largest.width, maxHeight: dump.largest.height });

/** The kernel has a bit for so many. Where a dump lists none of them, every plane counts. */
const MAX_CRTCS = 32;

function formatsOf(dump: CardDump | undefined): Device['formats'] {
  if (dump === undefined) return [];
  const { planes, crtcs } = dump;
  const calls = {
    planes: () => planes.map((_, i) => i),
    plane: (_: number, id: number) => planes[id] ?? { possibleCrtcs: 0, formats: [] },
    inFormats: (_: number, id: number) => planes[id]?.inFormats,
  };
  return readScanoutFormats(calls, 0, crtcs > 0 && crtcs < MAX_CRTCS ? crtcs : MAX_CRTCS);
}

/** Names for cards that /sys says nothing of: their own, or the next that is free. */
class Names {
  readonly #taken: Set<string>;

  constructor(nodes: readonly DrmNode[]) {
    this.#taken = new Set(nodes.map(({ node }) => node));
  }

  give(dump: CardDump): ListedCard {
    const minor = this.#minor(dump.node, 'card', 0);
    const main = { kind: 'primary', node: `/dev/dri/card${minor}`, number: `${MAJOR}:${minor}` } as const;
    const others = dump.hasRenderNode === true ? [this.#render()] : [];
    return { main, others, bus: busOf(dump), modes: [] };
  }

  #render(): DrmNode {
    const minor = this.#minor(undefined, 'renderD', FIRST_RENDER);
    return { kind: 'render', node: `/dev/dri/renderD${minor}`, number: `${MAJOR}:${minor}` };
  }

  #minor(wish: string | undefined, name: string, first: number): number {
    let minor = wish === undefined ? first : Number(/\d+$/.exec(wish)?.[0] ?? first);
    while (this.#taken.has(`/dev/dri/${name}${minor}`)) minor++;
    this.#taken.add(`/dev/dri/${name}${minor}`);
    return minor;
  }
}

const busOf = ({ driver, compatible = [], pci }: CardDump): BusFacts => ({
  driver,
  compatible,
  ...(pci !== undefined && { pci }),
  iommu: standIn('unknown'),
});
