import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

import { PRIME_EXPORT } from '../../../daemon/kernel/drm.js';
import { drmCalls } from '../../../daemon/kernel/drm-calls.js';

/** Primary nodes by the name that their drivers give themselves: `vkms`, `bochs-drm`, `virtio_gpu`, `vgem`. */
export function cards(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync('/dev/dri').filter((file) => file.startsWith('card'))) {
    using node = drmCalls.open(`/dev/dri/${name}`);
    found.set(drmCalls.version(node.number).name, `/dev/dri/${name}`);
  }
  return found;
}

/** Whether buffers of the card at this node can become dma-bufs; before Linux 6.6 those of some cannot. */
export function exportsBuffers(path: string): boolean {
  using node = drmCalls.open(path);
  return (drmCalls.capability(node.number, 'PRIME') & PRIME_EXPORT) !== 0n;
}

export function card(driver: string): string {
  const path = cards().get(driver);
  assert(path !== undefined, `no ${driver}`);
  return path;
}

/** The video node of a driver. */
export function camera(driver: string): string {
  const names = readdirSync('/sys/class/video4linux').filter((name) => name.startsWith('video'));
  const found = names.find((name) => {
    const path = `/sys/class/video4linux/${name}`;
    const bound = basename(readlinkSync(`${path}/device/driver`));
    return bound === driver && readFileSync(`${path}/name`, 'utf8').trim() !== '';
  });
  assert(found !== undefined, `no ${driver}`);
  return `/dev/${found}`;
}
