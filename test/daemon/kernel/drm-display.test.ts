import { describe, expect, it } from 'vitest';

import { displayCalls } from '../../../daemon/kernel/drm-display.js';
import { modeInfo } from '../../../daemon/kernel/drm-mode.js';
import * as structs from '../../../daemon/kernel/drm-structs.js';
import { fakeEdge, giveArray, NODE, words } from './fake-edge.js';

/** A mode as a driver has it; `type` 8 is preferred, 64 the driver's own. */
function modeBytes(name: string, width: number, height: number, refresh: number, type: number): Buffer {
  const values = { hdisplay: width, vdisplay: height, vrefresh: refresh, type, clock: 148_500, flags: 5 };
  const bytes = modeInfo.make(values);
  bytes.write(name, modeInfo.place('name').offset);
  return bytes;
}

const FULL_HD = modeBytes('1920x1080', 1920, 1080, 60, 8 | 64);
const SMALL = modeBytes('640x480', 640, 480, 75, 64);

describe('resources', () => {
  it('lists the ids of everything, and the bounds of a framebuffer', () => {
    const lists = { crtc: [31, 47], connector: [63], encoder: [62, 64, 66] };
    const edge = fakeEdge({
      DRM_IOCTL_MODE_GETRESOURCES(argument) {
        for (const kind of ['crtc', 'connector', 'encoder'] as const) {
          const array = { pointer: `${kind}_id_ptr`, count: `count_${kind}s`, rule: 'some' } as const;
          giveArray(structs.cardResources, argument, array, words(...lists[kind]));
          structs.cardResources.write(argument, 0, `count_${kind}s`, lists[kind].length);
        }
        const bounds = { min_width: 1, max_width: 8192, min_height: 2, max_height: 4096, count_fbs: 3 };
        for (const [member, value] of Object.entries(bounds))
          structs.cardResources.write(argument, 0, member as keyof typeof bounds, value);
      },
    });
    expect(displayCalls(edge).resources(NODE)).toEqual({
      crtcs: [31, 47],
      connectors: [63],
      encoders: [62, 64, 66],
      minWidth: 1,
      maxWidth: 8192,
      minHeight: 2,
      maxHeight: 4096,
    });
  });
});

describe('connector', () => {
  /** Connector 63, whose display is probed when there is room for no mode at all. */
  function connectorEdge(
    modes: readonly Buffer[],
    values: { type: number; number: number; connection: number },
  ) {
    let probes = 0;
    const edge = fakeEdge({
      DRM_IOCTL_MODE_GETCONNECTOR(argument) {
        const { getConnector } = structs;
        expect(getConnector.read(argument, 0, 'connector_id')).toBe(63);
        if (getConnector.read(argument, 0, 'count_modes') === 0) probes += 1;
        giveArray(getConnector, argument, { pointer: 'modes_ptr', count: 'count_modes', rule: 'all' }, modes);
        getConnector.write(argument, 0, 'count_modes', modes.length);
        getConnector.write(argument, 0, 'count_props', 11);
        getConnector.write(argument, 0, 'count_encoders', 1);
        getConnector.write(argument, 0, 'connector_type', values.type);
        getConnector.write(argument, 0, 'connector_type_id', values.number);
        getConnector.write(argument, 0, 'connection', values.connection);
        getConnector.write(argument, 0, 'encoder_id', 62);
      },
    });
    return { drm: displayCalls(edge), probes: () => probes };
  }

  it.each([[[]], [[FULL_HD]], [[FULL_HD, SMALL]]])('never has the display probed (modes: %#)', (modes) => {
    const { drm, probes } = connectorEdge(modes, { type: 11, number: 1, connection: 1 });
    expect(drm.connector(NODE, 63).modes).toHaveLength(modes.length);
    expect(probes()).toBe(0);
  });

  it('tells name, state, encoder and modes', () => {
    const { drm } = connectorEdge([FULL_HD, SMALL], { type: 11, number: 2, connection: 1 });
    expect(drm.connector(NODE, 63)).toEqual({
      name: 'HDMI-A-2',
      connected: true,
      encoder: 62,
      modes: [
        { name: '1920x1080', width: 1920, height: 1080, refresh: 60, preferred: true },
        { name: '640x480', width: 640, height: 480, refresh: 75, preferred: false },
      ],
    });
  });

  it.each([2, 3])('takes a display that is not known to be there for none (connection %i)', (connection) => {
    const { drm } = connectorEdge([], { type: 14, number: 1, connection });
    expect(drm.connector(NODE, 63)).toMatchObject({ name: 'eDP-1', connected: false, modes: [] });
  });

  it('has a name for types that are newer than it', () => {
    const { drm } = connectorEdge([], { type: 4000, number: 3, connection: 1 });
    expect(drm.connector(NODE, 63).name).toBe('Unknown-3');
  });
});

describe('what a CRTC shows', () => {
  it('finds the CRTC of an encoder', () => {
    const edge = fakeEdge({
      DRM_IOCTL_MODE_GETENCODER(argument) {
        const id = structs.getEncoder.read(argument, 0, 'encoder_id');
        structs.getEncoder.write(argument, 0, 'crtc_id', id === 62 ? 31 : 0);
      },
    });
    expect(displayCalls(edge).encoderCrtc(NODE, 62)).toBe(31);
    expect(displayCalls(edge).encoderCrtc(NODE, 64)).toBe(0);
  });

  it('reads its mode, if it has one', () => {
    const edge = fakeEdge({
      DRM_IOCTL_MODE_GETCRTC(argument) {
        const { getCrtc } = structs;
        SMALL.copy(argument, getCrtc.place('mode').offset);
        getCrtc.write(argument, 0, 'mode_valid', getCrtc.read(argument, 0, 'crtc_id') === 31 ? 1 : 0);
      },
    });
    expect(displayCalls(edge).crtcMode(NODE, 31)).toMatchObject({ name: '640x480', refresh: 75 });
    expect(displayCalls(edge).crtcMode(NODE, 47)).toBeUndefined();
  });
});
