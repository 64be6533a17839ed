import { constants } from 'node:os';

import type { DrmCalls } from './drm.js';
import { DRM_CLIENT_CAP_UNIVERSAL_PLANES, DRM_MODE_OBJECT_PLANE } from './drm-constants.js';
import * as ioctls from './drm-ioctls.js';
import * as structs from './drm-structs.js';
import { KernelError } from './errors.js';
import { fourccOf } from './fourcc.js';
import { parseInFormats } from './in-formats.js';
import type { IoctlEdge } from './ioctl.js';
import { readArrays, wideWordsOf, wordsOf } from './kernel-arrays.js';

const WORD_BYTES = Uint32Array.BYTES_PER_ELEMENT;
const WIDE_BYTES = BigUint64Array.BYTES_PER_ELEMENT;

type PlaneCalls = Pick<DrmCalls, 'showAllPlanes' | 'planes' | 'plane' | 'inFormats'>;

/** What a card's planes take. */
export const planeCalls = (edge: IoctlEdge): PlaneCalls => ({
  showAllPlanes(node) {
    const argument = structs.setClientCap.make({ capability: DRM_CLIENT_CAP_UNIVERSAL_PLANES, value: 1 });
    edge.now(ioctls.DRM_IOCTL_SET_CLIENT_CAP, node, argument);
  },

  planes(node) {
    const { bytes } = readArrays(edge, node, {
      call: ioctls.DRM_IOCTL_MODE_GETPLANERESOURCES,
      struct: structs.getPlaneResources,
      values: {},
      arrays: [{ pointer: 'plane_id_ptr', count: 'count_planes', element: WORD_BYTES }],
    });
    return wordsOf(bytes.plane_id_ptr);
  },

  plane(node, id) {
    const { argument, bytes } = readArrays(edge, node, {
      call: ioctls.DRM_IOCTL_MODE_GETPLANE,
      struct: structs.getPlane,
      values: { plane_id: id },
      arrays: [{ pointer: 'format_type_ptr', count: 'count_format_types', element: WORD_BYTES }],
    });
    return {
      possibleCrtcs: structs.getPlane.read(argument, 0, 'possible_crtcs'),
      formats: wordsOf(bytes.format_type_ptr).map(fourccOf),
    };
  },

  inFormats(node, plane) {
    const id = propertyValue(edge, node, plane, 'IN_FORMATS');
    if (id === undefined || id === 0) return undefined;
    const inFormats = parseInFormats(readBlob(edge, node, id));
    // A list that cannot be read is no sign that there is none: the caller must not take the plane for a linear one.
    if ('malformed' in inFormats) throw new KernelError('IN_FORMATS', constants.errno.EBADMSG);
    return inFormats.pairs;
  },
});

/** What a plane's property is set to, of a blob its id; undefined when it has no such property. */
function propertyValue(edge: IoctlEdge, node: number, plane: number, name: string): number | undefined {
  const { bytes } = readArrays(edge, node, {
    call: ioctls.DRM_IOCTL_MODE_OBJ_GETPROPERTIES,
    struct: structs.getObjectProperties,
    values: { obj_id: plane, obj_type: DRM_MODE_OBJECT_PLANE },
    arrays: [
      { pointer: 'props_ptr', count: 'count_props', element: WORD_BYTES },
      { pointer: 'prop_values_ptr', count: 'count_props', element: WIDE_BYTES },
    ],
  });
  const index = wordsOf(bytes.props_ptr).findIndex((id) => propertyName(edge, node, id) === name);
  const value = wideWordsOf(bytes.prop_values_ptr)[index];
  return value === undefined ? undefined : Number(value);
}

function propertyName(edge: IoctlEdge, node: number, id: number): string {
  const argument = structs.getProperty.make({ prop_id: id });
  edge.now(ioctls.DRM_IOCTL_MODE_GETPROPERTY, node, argument);
  return structs.getProperty.readText(argument, 0, 'name');
}

function readBlob(edge: IoctlEdge, node: number, id: number): Buffer {
  const { bytes } = readArrays(edge, node, {
    call: ioctls.DRM_IOCTL_MODE_GETPROPBLOB,
    struct: structs.getBlob,
    values: { blob_id: id },
    arrays: [{ pointer: 'data', count: 'length', element: 1 }],
  });
  return bytes.data;
}
