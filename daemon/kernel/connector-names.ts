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
