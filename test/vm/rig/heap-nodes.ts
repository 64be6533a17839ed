import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const HEAPS = '/dev/dma_heap';
const UDMABUF = '/dev/udmabuf';
/** On the same file system, because nodes are moved and not made. */
const ASIDE = '/dev/aside';

/** Nodes through which memory can be had. */
export function heapNodes(): readonly string[] {
  const heaps = existsSync(HEAPS) ? readdirSync(HEAPS).map((name) => join(HEAPS, name)) : [];
  return [...heaps, ...[UDMABUF].filter((node) => existsSync(node))];
}

/** Leaves the machine, until disposed of, only those heaps' nodes that `keep` says. */
export function onlyHeaps(keep: (node: string) => boolean): Disposable {
  mkdirSync(ASIDE, { recursive: true });
  const moved = heapNodes()
    .filter((node) => !keep(node))
    .map((node) => ({ node, aside: join(ASIDE, basename(node)) }));
  for (const { node, aside } of moved) renameSync(node, aside);
  return {
    [Symbol.dispose]: () => {
      for (const { node, aside } of moved) {
        mkdirSync(dirname(node), { recursive: true });
        renameSync(aside, node);
      }
    },
  };
}
