import assert from 'node:assert/strict';

import {
  DRM_IOCTL_MODE_GETPROPERTY,
  DRM_IOCTL_MODE_OBJ_GETPROPERTIES,
} from '../../../daemon/kernel/drm-ioctls.js';
import { getObjectProperties, getProperty } from '../../../daemon/kernel/drm-structs.js';
import { ioctl, kernelEdge } from '../../../daemon/kernel/ioctl.js';
import { readArrays, wideWordsOf, wordsOf } from '../../../daemon/kernel/kernel-arrays.js';

/** A CRTC, a connector or a plane, with what can be set of it. */
export interface KmsObject {
  readonly id: number;
  /** By name: the id that a commit takes, and the value now. */
  readonly properties: ReadonlyMap<string, { readonly id: number; readonly value: bigint }>;
}

/** @param node open primary node, borrowed @param type DRM_MODE_OBJECT_… */
export function readObject(node: number, id: number, type: number): KmsObject {
  const { bytes } = readArrays(kernelEdge, node, {
    call: DRM_IOCTL_MODE_OBJ_GETPROPERTIES,
    struct: getObjectProperties,
    values: { obj_id: id, obj_type: type },
    arrays: [
      { pointer: 'props_ptr', count: 'count_props', element: Uint32Array.BYTES_PER_ELEMENT },
      { pointer: 'prop_values_ptr', count: 'count_props', element: BigUint64Array.BYTES_PER_ELEMENT },
    ],
  });
  const values = wideWordsOf(bytes.prop_values_ptr);
  const properties = wordsOf(bytes.props_ptr).map(
    (property, i) => [nameOf(node, property), { id: property, value: values[i] ?? 0n }] as const,
  );
  return { id, properties: new Map(properties) };
}

export function property({ id, properties }: KmsObject, name: string): number {
  const found = properties.get(name);
  assert(
    found !== undefined,
    `object ${id} has no property ${name}, only ${[...properties.keys()].join(' ')}`,
  );
  return found.id;
}

function nameOf(node: number, id: number): string {
  const argument = getProperty.make({ prop_id: id });
  ioctl(DRM_IOCTL_MODE_GETPROPERTY, node, argument);
  return getProperty.readText(argument, 0, 'name');
}
