import { addressOf } from '../../../dbus/native/layout.js';
import { ioctl, ioctlOffLoop } from '../../../daemon/kernel/ioctl.js';
import { property, type KmsObject } from './kms-properties.js';
import {
  atomic,
  createBlob,
  DRM_IOCTL_MODE_ATOMIC,
  DRM_IOCTL_MODE_CREATEPROPBLOB,
  DRM_MODE_ATOMIC_ALLOW_MODESET,
} from './kms-structs.js';

/** What a commit makes of one object; values are the kernel's, of every property as 64 bits. */
export interface Change {
  readonly object: KmsObject;
  readonly set: Readonly<Record<string, number | bigint>>;
}

/**
 * All of the changes or none, a change of mode allowed; settles when the display has taken them.
 * @param node open primary node that is master, borrowed
 * @throws {KernelError}
 */
export async function commit(node: number, changes: readonly Change[]): Promise<void> {
  const entries = changes.map(({ object, set }) => ({ object, set: Object.entries(set) }));
  const settings = entries.flatMap(({ object, set }) =>
    set.map(([name, value]) => ({ id: property(object, name), value: BigInt(value) })),
  );
  const arrays = {
    objs_ptr: Uint32Array.from(entries, ({ object }) => object.id),
    count_props_ptr: Uint32Array.from(entries, ({ set }) => set.length),
    props_ptr: Uint32Array.from(settings, ({ id }) => id),
    prop_values_ptr: BigUint64Array.from(settings, ({ value }) => value),
  };
  const head = atomic.make({ flags: DRM_MODE_ATOMIC_ALLOW_MODESET, count_objs: entries.length });
  // In one piece, so that what the struct points to lives as long as it does.
  const argument = Buffer.concat([
    head,
    ...Object.values(arrays).map(({ buffer }) => new Uint8Array(buffer)),
  ]);
  let at = addressOf(argument) + BigInt(head.length);
  for (const [pointer, { byteLength }] of entriesOf(arrays)) {
    atomic.write(argument, 0, pointer, at);
    at += BigInt(byteLength);
  }
  await ioctlOffLoop(DRM_IOCTL_MODE_ATOMIC, node, argument);
}

const entriesOf = <K extends string, V>(record: Readonly<Record<K, V>>): readonly [K, V][] =>
  Object.entries(record) as [K, V][];

/** @returns the id of a blob that lives as long as the node is open */
export function makeBlob(node: number, bytes: Uint8Array): number {
  const argument = createBlob.make({ data: addressOf(bytes), length: bytes.length });
  ioctl(DRM_IOCTL_MODE_CREATEPROPBLOB, node, argument);
  return createBlob.read(argument, 0, 'blob_id');
}
