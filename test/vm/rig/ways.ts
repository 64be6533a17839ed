import { existsSync } from 'node:fs';

import { camera, cards } from './cards.js';

/**
 * What a way can keep, as Linux's own documentation and manuals have it: a `reference` to the buffer, which the kernel or
 * the daemon must count; `pages`, pinned, which it cannot; or `nothing` of the memory.
 */
export type Kept = 'reference' | 'pages' | 'nothing';

/** One way of keeping hold of a buffer that was released; `c/keeper.c` has them. */
export interface Way {
  readonly name: string;
  /** The card or camera that it uses. */
  readonly node?: string;
  /** For a person: what the node is. */
  readonly by?: string;
  readonly keeps: Kept;
}

const REFERENCES = [
  ...['open', 'reopened', 'mapping', 'mremap', 'remap_file_pages', 'map_files', 'scm-in-flight'],
  ...['io_uring-file', 'fork', 'process_vm_readv', 'proc-mem', 'ptrace', 'pidfd_getfd'],
];
const PINS = ['vmsplice', 'vmsplice-gift', 'tee', 'spliced-socket', 'zerocopy', 'io_uring-fixed'];
const NOTHINGS = [
  ...['madvise', 'pageout', 'userfaultfd', 'epoll', 'sync_file', 'direct-write', 'proc-mem-dead', 'core'],
  // The kernel's collector ends it, at a time that it chooses.
  'scm-cycle',
];
const CARDS = ['dumb-map', 'gem-handle', 'flink', 'framebuffer'];

/** Ways that this machine has no part for, and which. */
export const UNTRIED: Readonly<Record<string, string>> = {
  'GPU context': 'no driver here runs jobs of a user on imported memory',
  RDMA: 'no adapter, and rdma_rxe is not among the modules',
  VFIO: 'no IOMMU group that a user is given',
  KVM: 'no nested virtualisation under emulation',
  hibernation: 'an image is root’s alone to write and to read, and the machine has no swap',
};

/** All ways there are with the cards and the camera of this machine. */
export function ways(): readonly Way[] {
  const of = (names: readonly string[], keeps: Kept): Way[] => names.map((name) => ({ name, keeps }));
  const found = [...cards()];
  const byCard = CARDS.flatMap((name) =>
    found.map(([by, node]): Way => ({ name, node, by, keeps: 'reference' })),
  );
  const queued = (name: string, keeps: Kept): Way[] =>
    existsSync('/dev/video0') ? [{ name, node: camera('vivid'), by: 'vivid', keeps }] : [];
  return [
    ...queued('v4l2-dmabuf', 'reference'),
    ...of(PINS, 'pages'),
    ...byCard,
    // Far from the other, because a camera has one user at a time.
    ...queued('v4l2-userptr', 'pages'),
    ...of(REFERENCES, 'reference'),
    ...of(NOTHINGS, 'nothing'),
  ];
}

/** Ways that stand for all others where there is little time: every pin, and of what counts one of each kind. */
const TELLING = new Set([
  ...PINS,
  'v4l2-userptr',
  'dumb-map',
  'framebuffer',
  'mapping',
  'fork',
  'scm-in-flight',
  'epoll',
]);

/** All of them with `--long`, and otherwise those that stand for the others. */
export const waysToTry = (): readonly Way[] =>
  process.env['DMABROKER_VM_LONG'] ? ways() : ways().filter(({ name }) => TELLING.has(name));

export const wayName = ({ name, by }: Way): string => (by === undefined ? name : `${name} ${by}`);
