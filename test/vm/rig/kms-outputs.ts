import assert from 'node:assert/strict';

import {
  DRM_CLIENT_CAP_UNIVERSAL_PLANES,
  DRM_MODE_OBJECT_PLANE,
} from '../../../daemon/kernel/drm-constants.js';
import { drmCalls } from '../../../daemon/kernel/drm-calls.js';
import { DRM_IOCTL_MODE_GETCONNECTOR, DRM_IOCTL_SET_CLIENT_CAP } from '../../../daemon/kernel/drm-ioctls.js';
import { modeInfo, readMode } from '../../../daemon/kernel/drm-mode.js';
import { getConnector, setClientCap } from '../../../daemon/kernel/drm-structs.js';
import { ioctl, kernelEdge } from '../../../daemon/kernel/ioctl.js';
import { readArrays } from '../../../daemon/kernel/kernel-arrays.js';
import { readObject, type KmsObject } from './kms-properties.js';
import {
  DRM_CLIENT_CAP_ATOMIC,
  DRM_CLIENT_CAP_WRITEBACK_CONNECTORS,
  DRM_MODE_OBJECT_CONNECTOR,
  DRM_MODE_OBJECT_CRTC,
} from './kms-structs.js';

/** What shows a picture, and what reads it back. */
export interface Outputs {
  readonly crtc: KmsObject;
  readonly plane: KmsObject;
  readonly writeback: KmsObject;
  /** Connectors that the console may have left on; vkms cannot drive one and write back at the same time. */
  readonly others: readonly KmsObject[];
}

/** Value of a plane's `type` (enum drm_plane_type, which the headers for programs do not have). */
const PRIMARY = 1n;

/** Asks to see everything there is, and takes the first of each. @param node open primary node, borrowed */
export function findOutputs(node: number): Outputs {
  for (const capability of [
    DRM_CLIENT_CAP_ATOMIC,
    DRM_CLIENT_CAP_UNIVERSAL_PLANES,
    DRM_CLIENT_CAP_WRITEBACK_CONNECTORS,
  ])
    ioctl(DRM_IOCTL_SET_CLIENT_CAP, node, setClientCap.make({ capability, value: 1 }));
  const { crtcs, connectors } = drmCalls.resources(node);
  const seen = connectors.map((id) => readObject(node, id, DRM_MODE_OBJECT_CONNECTOR));
  const planes = drmCalls.planes(node).map((id) => readObject(node, id, DRM_MODE_OBJECT_PLANE));
  const isWriteback = ({ properties }: KmsObject): boolean => properties.has('WRITEBACK_FB_ID');
  return {
    crtc: readObject(node, the('CRTC', crtcs[0]), DRM_MODE_OBJECT_CRTC),
    plane: the(
      'primary plane',
      planes.find(({ properties }) => properties.get('type')?.value === PRIMARY),
    ),
    writeback: the('writeback connector', seen.find(isWriteback)),
    others: seen.filter((connector) => !isWriteback(connector)),
  };
}

/** A mode of the connector as the kernel has it, for a blob; asks the display what it can do, as a compositor does. */
export function findMode(node: number, connector: KmsObject, width: number, height: number): Buffer {
  const { bytes } = readArrays(kernelEdge, node, {
    call: DRM_IOCTL_MODE_GETCONNECTOR,
    struct: getConnector,
    values: { connector_id: connector.id },
    arrays: [{ pointer: 'modes_ptr', count: 'count_modes', element: modeInfo.size }],
  });
  const modes = Array.from({ length: bytes.modes_ptr.length / modeInfo.size }, (_, i) =>
    bytes.modes_ptr.subarray(i * modeInfo.size, (i + 1) * modeInfo.size),
  );
  return the(
    `mode of ${width}×${height}`,
    modes.find((raw) => {
      const mode = readMode(raw, 0);
      return mode.width === width && mode.height === height;
    }),
  );
}

function the<T>(what: string, found: T | undefined): T {
  assert(found !== undefined, `the card has no ${what}`);
  return found;
}
