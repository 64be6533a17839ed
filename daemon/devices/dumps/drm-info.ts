import { exportsBuffers } from '../drm-facts.js';
import type { FormatModifier } from '../../kernel/drm.js';
import { connectorName } from '../../kernel/drm-display.js';
import { fourccOf } from '../../kernel/fourcc.js';
import type { Mode } from '../inventory.js';
import { plainName } from './dump-lines.js';
import { DUMP_LIMITS, type CardDump, type DumpText, type PlaneDump } from './dump-types.js';
import { parseWide, type JsonTree } from './json-tree.js';

const U32 = 0xffff_ffff;
/** DRM_NODE_RENDER and DRM_BUS_PCI, DRM_BUS_PLATFORM of xf86drm.h. */
const RENDER_NODE = 1 << 2;
const BUS = { pci: 0, platform: 2 } as const;
/** drm_mode.h */
const CONNECTED = 1;
const TYPE_PREFERRED = 1 << 3;
/** Bit of DRM_CAP_PRIME. */
const PRIME_IMPORT = 1n;

/**
 * Reads what `drm_info --json` prints (json.c of drm_info): an object with a key for each card's node.
 * @throws {DumpError}
 */
export function readDrmInfo({ name, text }: DumpText): readonly CardDump[] {
  const document = parseWide(text, name);
  const nodes = document.keys.filter((key) => /^\/dev\/dri\/card\d{1,3}$/.test(key));
  if (nodes.length === 0)
    throw document.error('has no card: drm_info --json has a key such as /dev/dri/card0');
  if (nodes.length > DUMP_LIMITS.cards) throw document.error(`has more than ${DUMP_LIMITS.cards} cards`);
  return nodes.map((node) => readCard(node, document.at(node)));
}

function readCard(node: string, card: JsonTree): CardDump {
  const driver = card.at('driver').at('name').text();
  const kernel = card.at('driver').at('kernel').at('release').text();
  const caps = card.at('driver').at('caps');
  const prime = caps.at('PRIME').wide();
  const dumb = caps.at('DUMB_BUFFER').wide();
  const nodes = card.at('device').at('available_nodes').integer(U32);
  const largest = readLargest(card.at('fb_size'));
  return {
    node,
    ...(driver !== undefined && { driver: plainName(driver) }),
    ...busOf(card.at('device')),
    ...(nodes !== undefined && { hasRenderNode: (nodes & RENDER_NODE) !== 0 }),
    ...(dumb !== undefined && { dumbBuffers: dumb !== 0n && exportsBuffers(prime) }),
    ...(prime !== undefined && { imports: (prime & PRIME_IMPORT) !== 0n }),
    crtcs: card.at('crtcs').list().length,
    planes: card.at('planes').list().map(readPlane),
    ...(largest && { largest }),
    modes: readModes(card),
    ...(kernel !== undefined && { kernel: plainName(kernel) }),
  };
}

function busOf(device: JsonTree): Pick<CardDump, 'pci' | 'compatible'> {
  const bus = device.at('bus_type').integer(U32);
  const data = device.at('device_data');
  if (!data.isThere) return {};
  if (bus === BUS.pci) {
    const id = (key: string): string => (data.at(key).integer(0xffff) ?? 0).toString(16).padStart(4, '0');
    return { pci: `${id('vendor')}:${id('device')}` };
  }
  if (bus !== BUS.platform) return {};
  return {
    compatible: data
      .at('compatible')
      .list()
      .map((item) => plainName(item.text() ?? '')),
  };
}

function readLargest(size: JsonTree): CardDump['largest'] {
  const [width, height] = [size.at('max_width').integer(U32), size.at('max_height').integer(U32)];
  return width === undefined || height === undefined ? undefined : { width, height };
}

function readPlane(plane: JsonTree): PlaneDump {
  const data = plane.at('properties').at('IN_FORMATS').at('data');
  return {
    possibleCrtcs: plane.at('possible_crtcs').integer(U32) ?? 0,
    formats: readFormats(plane.at('formats')),
    ...(data.isThere && { inFormats: readPairs(data) }),
  };
}

const readFormats = (list: JsonTree): readonly string[] =>
  list.list(DUMP_LIMITS.entries).map((code) => fourccOf(code.integer(U32) ?? 0));

function readPairs(data: JsonTree): readonly FormatModifier[] {
  return data.list(DUMP_LIMITS.entries).flatMap((entry) => {
    const modifier = entry.at('modifier').wide();
    if (modifier === undefined) throw entry.error('has no modifier');
    return readFormats(entry.at('formats')).map((format) => ({ format, modifier }));
  });
}

/** Modes of connected connectors; the kernel counts connectors of each type in their order. */
function readModes(card: JsonTree): readonly Mode[] {
  const counts = new Map<number, number>();
  const shown = shownModes(card);
  return card
    .at('connectors')
    .list()
    .flatMap((connector) => {
      const type = connector.at('type').integer(U32) ?? 0;
      const count = (counts.get(type) ?? 0) + 1;
      counts.set(type, count);
      if (connector.at('status').integer(U32) !== CONNECTED) return [];
      const crtc = connector.at('properties').at('CRTC_ID').at('value').integer(U32) ?? 0;
      const current = shown.get(crtc);
      const own = connector
        .at('modes')
        .list(DUMP_LIMITS.entries)
        .map((mode) => modeOf(mode, current));
      return [...new Map(own.map((mode) => [keyOf(mode), mode])).values()].map((mode) => ({
        connector: connectorName(type, count),
        ...mode,
      }));
    });
}

type SizedMode = Omit<Mode, 'connector'>;

const keyOf = ({ width, height, refresh }: SizedMode): string => `${width}x${height}@${refresh}`;

function modeOf(mode: JsonTree, current: string | undefined): SizedMode {
  const size = {
    width: mode.at('hdisplay').integer(0xffff) ?? 0,
    height: mode.at('vdisplay').integer(0xffff) ?? 0,
    refresh: mode.at('vrefresh').integer(U32) ?? 0,
    preferred: ((mode.at('type').integer(U32) ?? 0) & TYPE_PREFERRED) !== 0,
    current: false,
  };
  if (size.width === 0 || size.height === 0) throw mode.error('has no size');
  return { ...size, current: keyOf(size) === current };
}

/** By CRTC id, what it shows. */
function shownModes(card: JsonTree): ReadonlyMap<number, string> {
  const modes = card
    .at('crtcs')
    .list()
    .flatMap((crtc): readonly [number, string][] => {
      const id = crtc.at('id').integer(U32);
      const atomic = crtc.at('properties').at('MODE_ID').at('data');
      const mode = atomic.isThere ? atomic : crtc.at('mode');
      return id === undefined || !mode.isThere ? [] : [[id, keyOf(modeOf(mode, undefined))]];
    });
  return new Map(modes);
}
