import type { KernelFiles } from './sysfs.js';

const CLASS = '/sys/class/drm';

/** A node of /dev/dri. */
export interface DrmNode {
  readonly kind: 'primary' | 'render';
  readonly node: string;
  /** `major:minor` */
  readonly number: string;
}

/** The nodes of one device. */
export interface DrmNodes {
  /** The primary node, where there is one. */
  readonly main: DrmNode;
  readonly others: readonly DrmNode[];
  /** The main node's directory: `/sys/class/drm/card0`. */
  readonly path: string;
}

/** A primary node and a render node that lead to the same device are one. */
export async function readDrmNodes(files: KernelFiles): Promise<readonly DrmNodes[]> {
  const byDevice = new Map<string, DrmNodes>();
  // `card` comes before `renderD` in the list, so that a device's primary node is its first.
  for (const name of await files.list(CLASS)) {
    const kind = /^card\d+$/.test(name) ? 'primary' : /^renderD\d+$/.test(name) ? 'render' : undefined;
    if (kind === undefined) continue;
    const path = `${CLASS}/${name}`;
    const number = await readNumber(files, path);
    if (number === undefined) continue;
    const node = { kind, node: `/dev/dri/${name}`, number } as const;
    const device = (await files.resolve(`${path}/device`)) ?? path;
    const before = byDevice.get(device);
    byDevice.set(
      device,
      before ? { ...before, others: [...before.others, node] } : { main: node, others: [], path },
    );
  }
  return [...byDevice.values()];
}

/** `major:minor` of a class device; one without it cannot be named and is left out. */
export async function readNumber(files: KernelFiles, path: string): Promise<string | undefined> {
  const file = `${path}/dev`;
  if (await files.exists(file))
    return files.match(file, /^\d{1,5}:\d{1,7}$/, 'major:minor; the node is left out');
  files.warn(file, 'is not there; the node is left out');
  return undefined;
}

/** Directories of the connectors of a primary node, each with the connector's name. */
export async function readConnectorPaths(
  files: KernelFiles,
  path: string,
): Promise<readonly { readonly path: string; readonly name: string }[]> {
  const prefix = `${path.slice(CLASS.length + 1)}-`;
  const names = await files.list(CLASS);
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => ({ path: `${CLASS}/${name}`, name: name.slice(prefix.length) }));
}
