import type { DrmCalls } from './drm.js';
import * as ioctls from './drm-ioctls.js';
import { modeInfo, readMode } from './drm-mode.js';
import * as structs from './drm-structs.js';
import type { IoctlEdge } from './ioctl.js';
import { readArrays, wordsOf } from './kernel-arrays.js';

/** `connection` of drm_mode_get_connector, which drm_mode.h has no name for (enum drm_connector_status). */
const CONNECTED = 1;
const ID_BYTES = Uint32Array.BYTES_PER_ELEMENT;

type DisplayCalls = Pick<DrmCalls, 'resources' | 'connector' | 'encoderCrtc' | 'crtcMode'>;

/** What a card shows on which connector. */
export const displayCalls = (edge: IoctlEdge): DisplayCalls => ({
  resources(node) {
    const { argument, bytes } = readArrays(edge, node, {
      call: ioctls.DRM_IOCTL_MODE_GETRESOURCES,
      struct: structs.cardResources,
      values: {},
      arrays: [
        { pointer: 'crtc_id_ptr', count: 'count_crtcs', element: ID_BYTES },
        { pointer: 'connector_id_ptr', count: 'count_connectors', element: ID_BYTES },
        { pointer: 'encoder_id_ptr', count: 'count_encoders', element: ID_BYTES },
      ],
    });
    return {
      crtcs: wordsOf(bytes.crtc_id_ptr),
      connectors: wordsOf(bytes.connector_id_ptr),
      encoders: wordsOf(bytes.encoder_id_ptr),
      minWidth: structs.cardResources.read(argument, 0, 'min_width'),
      maxWidth: structs.cardResources.read(argument, 0, 'max_width'),
      minHeight: structs.cardResources.read(argument, 0, 'min_height'),
      maxHeight: structs.cardResources.read(argument, 0, 'max_height'),
    };
  },

  connector(node, id) {
    const { argument, bytes } = readArrays(edge, node, {
      call: ioctls.DRM_IOCTL_MODE_GETCONNECTOR,
      struct: structs.getConnector,
      values: { connector_id: id },
      // Asked with room for no modes at all, the kernel probes the display, which takes long and can make it flicker.
      arrays: [{ pointer: 'modes_ptr', count: 'count_modes', element: modeInfo.size, least: 1 }],
    });
    const read = (member: 'connector_type' | 'connector_type_id' | 'connection' | 'encoder_id'): number =>
      structs.getConnector.read(argument, 0, member);
    const modes = bytes.modes_ptr;
    return {
      name: connectorName(read('connector_type'), read('connector_type_id')),
      connected: read('connection') === CONNECTED,
      modes: Array.from({ length: modes.length / modeInfo.size }, (_, i) =>
        readMode(modes, i * modeInfo.size),
      ),
      encoder: read('encoder_id'),
    };
  },

  encoderCrtc(node, encoder) {
    const argument = structs.getEncoder.make({ encoder_id: encoder });
    edge.now(ioctls.DRM_IOCTL_MODE_GETENCODER, node, argument);
    return structs.getEncoder.read(argument, 0, 'crtc_id');
  },

  crtcMode(node, crtc) {
    const argument = structs.getCrtc.make({ crtc_id: crtc });
    edge.now(ioctls.DRM_IOCTL_MODE_GETCRTC, node, argument);
    const isValid = structs.getCrtc.read(argument, 0, 'mode_valid') !== 0;
    return isValid ? readMode(argument, structs.getCrtc.place('mode').offset) : undefined;
  },
});

/** The kernel's names of connector types (drm_connector.c), in the order of DRM_MODE_CONNECTOR_… from 0. */
const TYPES = [
  'Unknown',
  'VGA',
  'DVI-I',
  'DVI-D',
  'DVI-A',
  'Composite',
  'SVIDEO',
  'LVDS',
  'Component',
  'DIN',
  'DP',
  'HDMI-A',
  'HDMI-B',
  'TV',
  'eDP',
  'Virtual',
  'DSI',
  'DPI',
  'Writeback',
  'SPI',
  'USB',
];

/** A connector's name as in sysfs, without the card. A type that a later kernel adds is `Unknown`. */
export const connectorName = (type: number, number: number): string =>
  `${TYPES[type] ?? 'Unknown'}-${number}`;
