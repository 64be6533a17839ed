import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';

import { planeCalls } from '../../../daemon/kernel/drm-planes.js';
import * as structs from '../../../daemon/kernel/drm-structs.js';
import { KernelError } from '../../../daemon/kernel/errors.js';
import { fakeEdge, giveArray, NODE, wideWords, words } from './fake-edge.js';
import { writeBlob } from './in-formats-blob.js';

const BLOB = 55;
const NAMES: Readonly<Record<number, string>> = { 8: 'type', 9: 'SRC_X', 10: 'IN_FORMATS', 11: 'rotation' };

interface FakePlane {
  /** Values by property id. */
  readonly properties: Readonly<Record<number, bigint>>;
  readonly blob?: Buffer;
}

/** A card whose planes have properties, one of them a blob. */
function planeEdge({ properties, blob = Buffer.alloc(0) }: FakePlane) {
  return planeCalls(
    fakeEdge({
      DRM_IOCTL_MODE_OBJ_GETPROPERTIES(argument) {
        const { getObjectProperties: struct } = structs;
        // DRM_MODE_OBJECT_PLANE
        if (struct.read(argument, 0, 'obj_type') !== 0xeeeeeeee || struct.read(argument, 0, 'obj_id') !== 33)
          throw new KernelError('fake', constants.errno.ENOENT);
        const count = 'count_props';
        const ids = Object.keys(properties).map(Number);
        giveArray(struct, argument, { pointer: 'props_ptr', count, rule: 'some' }, words(...ids));
        const values = wideWords(...Object.values(properties));
        giveArray(struct, argument, { pointer: 'prop_values_ptr', count, rule: 'some' }, values);
        struct.write(argument, 0, count, ids.length);
      },
      DRM_IOCTL_MODE_GETPROPERTY(argument) {
        const name = NAMES[structs.getProperty.read(argument, 0, 'prop_id')];
        if (name === undefined) throw new KernelError('fake', constants.errno.ENOENT);
        argument.write(name, structs.getProperty.place('name').offset);
      },
      DRM_IOCTL_MODE_GETPROPBLOB(argument) {
        if (structs.getBlob.read(argument, 0, 'blob_id') !== BLOB)
          throw new KernelError('fake', constants.errno.ENOENT);
        const bytes = [...blob].map((byte) => Uint8Array.of(byte));
        giveArray(structs.getBlob, argument, { pointer: 'data', count: 'length', rule: 'exact' }, bytes);
        structs.getBlob.write(argument, 0, 'length', blob.length);
      },
    }),
  );
}

describe('planes', () => {
  it('asks for all of them', () => {
    const asked: bigint[] = [];
    const edge = fakeEdge({
      DRM_IOCTL_SET_CLIENT_CAP(argument) {
        asked.push(structs.setClientCap.readWide(argument, 0, 'capability'));
        asked.push(structs.setClientCap.readWide(argument, 0, 'value'));
      },
    });
    planeCalls(edge).showAllPlanes(NODE);
    expect(asked).toEqual([2n, 1n]);
  });

  it('lists their ids', () => {
    const edge = fakeEdge({
      DRM_IOCTL_MODE_GETPLANERESOURCES(argument) {
        const array = { pointer: 'plane_id_ptr', count: 'count_planes', rule: 'some' } as const;
        giveArray(structs.getPlaneResources, argument, array, words(33, 39));
        structs.getPlaneResources.write(argument, 0, 'count_planes', 2);
      },
    });
    expect(planeCalls(edge).planes(NODE)).toEqual([33, 39]);
  });

  it('tells what a plane takes, and where it can be', () => {
    const edge = fakeEdge({
      DRM_IOCTL_MODE_GETPLANE(argument) {
        expect(structs.getPlane.read(argument, 0, 'plane_id')).toBe(33);
        const array = { pointer: 'format_type_ptr', count: 'count_format_types', rule: 'all' } as const;
        giveArray(structs.getPlane, argument, array, words(0x34325258, 0x20203852));
        structs.getPlane.write(argument, 0, 'count_format_types', 2);
        structs.getPlane.write(argument, 0, 'possible_crtcs', 0x8000_0001);
      },
    });
    expect(planeCalls(edge).plane(NODE, 33)).toEqual({
      possibleCrtcs: 0x8000_0001,
      formats: ['XR24', 'R8  '],
    });
  });
});

describe('inFormats', () => {
  const blob = writeBlob({ formats: ['XR24', 'NV12'], windows: [{ modifier: 0n, offset: 0, bits: 0b11n }] });
  const properties = { 8: 1n, 9: 0n, 10: BigInt(BLOB), 11: 1n };

  it('finds the property by its name, and reads its blob', () => {
    expect(planeEdge({ properties, blob }).inFormats(NODE, 33)).toEqual([
      { format: 'XR24', modifier: 0n },
      { format: 'NV12', modifier: 0n },
    ]);
  });

  it('tells a plane that publishes none', () => {
    expect(planeEdge({ properties: { 8: 1n, 9: 0n } }).inFormats(NODE, 33)).toBeUndefined();
    expect(planeEdge({ properties: {} }).inFormats(NODE, 33)).toBeUndefined();
    expect(planeEdge({ properties: { 10: 0n } }).inFormats(NODE, 33)).toBeUndefined();
  });

  it('takes a blob that it cannot read for an error, and not for none', () => {
    const cut = blob.subarray(0, blob.length - 1);
    for (const bad of [cut, Buffer.alloc(0)])
      expect(() => planeEdge({ properties, blob: bad }).inFormats(NODE, 33)).toThrow(
        expect.objectContaining({ call: 'IN_FORMATS', code: 'EBADMSG' }) as Error,
      );
  });

  it('passes on why a property cannot be read', () => {
    expect(() => planeEdge({ properties }).inFormats(NODE, 34)).toThrow(
      expect.objectContaining({ code: 'ENOENT' }) as Error,
    );
  });
});
