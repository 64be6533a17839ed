import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DmabrokerError } from '../../../client/errors.js';
import type { BufferRequest, DeviceRequest } from '../../../client/request.js';
import { encodeExtension, encodeRequest } from '../../../client/wire/encode.js';

const IMAGE = { width: 64, height: 32, format: 'XR24' };

/** The library can read the constraints of a conflict, so it always asks for them. */
const ERROR_DATA = ['error-data', { signature: 'b', value: true }];

describe('encodeRequest', () => {
  it('says every key in the words and types of the contract', () => {
    const device: DeviceRequest = {
      device: '/dev/dri/card0',
      uses: ['scanout', 'render'],
      modifiers: [0n, 1n << 63n],
      pitchMultiple: 256,
      pitchExact: 64,
      pitchLinked: true,
      pitchMin: 1,
      pitchMax: 4_294_967_295,
      offsetMultiple: 4096,
      heightMultiple: 16,
      sizeMultiple: 1n << 40n,
      maxWidth: 4096,
      maxHeight: 2160,
      contiguous: true,
      protected: false,
      addressBits: 32,
      minBuffers: 3,
    };
    const { body, count } = encodeRequest([device], {
      ...IMAGE,
      modifiers: [0n],
      count: 2,
      total: 4,
      label: 'cam',
    });
    expect(count).toBe(2);
    expect(body).toEqual([
      [
        [
          '/dev/dri/card0',
          [
            ['uses', { signature: 'as', value: ['scanout', 'render'] }],
            ['modifiers', { signature: 'at', value: [0n, 1n << 63n] }],
            ['pitch-multiple', { signature: 'u', value: 256 }],
            ['pitch-exact', { signature: 'u', value: 64 }],
            ['pitch-linked', { signature: 'b', value: true }],
            ['pitch-min', { signature: 'u', value: 1 }],
            ['pitch-max', { signature: 'u', value: 4_294_967_295 }],
            ['offset-multiple', { signature: 'u', value: 4096 }],
            ['height-multiple', { signature: 'u', value: 16 }],
            ['size-multiple', { signature: 't', value: 1n << 40n }],
            ['max-width', { signature: 'u', value: 4096 }],
            ['max-height', { signature: 'u', value: 2160 }],
            ['contiguous', { signature: 'b', value: true }],
            ['protected', { signature: 'b', value: false }],
            ['address-bits', { signature: 'u', value: 32 }],
            ['min-buffers', { signature: 'u', value: 3 }],
          ],
        ],
      ],
      [
        ['width', { signature: 'u', value: 64 }],
        ['height', { signature: 'u', value: 32 }],
        ['format', { signature: 's', value: 'XR24' }],
        ['modifiers', { signature: 'at', value: [0n] }],
        ['count', { signature: 'u', value: 2 }],
        ['total', { signature: 'u', value: 4 }],
        ['label', { signature: 's', value: 'cam' }],
        ERROR_DATA,
      ],
    ]);
  });

  it('leaves out what is undefined, and takes a size of either type', () => {
    const device = { device: 'cpu', uses: undefined } as unknown as DeviceRequest;
    const asNumber = encodeRequest([device], { size: 4096 });
    expect(asNumber).toEqual({
      body: [[['cpu', []]], [['size', { signature: 't', value: 4096n }], ERROR_DATA]],
      perCall: 16,
    });
    expect(encodeRequest([device], { size: 4096n })).toEqual(asNumber);
  });

  it('asks for the first 16 of more, and says how many there will be', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 17, max: 1000 }),
        fc.option(fc.nat(50), { nil: undefined }),
        (count, extra) => {
          const total = extra === undefined ? undefined : count + extra;
          const { body } = encodeRequest([{ device: 'cpu' }], { size: 1, count, ...(total && { total }) });
          expect(body[1]).toEqual([
            ['size', { signature: 't', value: 1n }],
            ['count', { signature: 'u', value: 16 }],
            ['total', { signature: 'u', value: total ?? count }],
            ERROR_DATA,
          ]);
        },
      ),
    );
  });

  it.each<[string, unknown, unknown]>([
    ['devices[0].device', [{ device: 7 }], { size: 1 }],
    ['devices[0].pitch', [{ device: 'cpu', pitch: 7 }], { size: 1 }],
    ['devices[0].toString', [{ device: 'cpu', toString: 7 }], { size: 1 }],
    ['devices[1].pitchMultiple', [{ device: 'cpu' }, { device: 'cpu', pitchMultiple: '256' }], { size: 1 }],
    ['devices[0].pitchMultiple', [{ device: 'cpu', pitchMultiple: 2 ** 32 }], { size: 1 }],
    ['devices[0].pitchMultiple', [{ device: 'cpu', pitchMultiple: 1.5 }], { size: 1 }],
    ['devices[0].pitchMultiple', [{ device: 'cpu', pitchMultiple: -1 }], { size: 1 }],
    ['devices[0].contiguous', [{ device: 'cpu', contiguous: 1 }], { size: 1 }],
    ['devices[0].uses', [{ device: 'cpu', uses: 'read' }], { size: 1 }],
    ['devices[0].uses[0]', [{ device: 'cpu', uses: [1] }], { size: 1 }],
    ['devices[0].modifiers[1]', [{ device: 'cpu', modifiers: [0n, 1n << 64n] }], { size: 1 }],
    ['buffer.size', [], { size: 2 ** 60 }],
    ['buffer.label', [], { size: 1, label: 'a\0b' }],
    ['buffer.extends', [], { extends: '/a', count: 1 }],
    ['buffer.total', [], { size: 1, count: 18, total: 17 }],
  ])('refuses by name: %s', (field, devices, buffer) => {
    const encode = (): unknown => encodeRequest(devices as DeviceRequest[], buffer as BufferRequest);
    expect(encode).toThrow(DmabrokerError);
    expect(encode).toThrow(
      expect.objectContaining({
        code: 'InvalidRequest',
        message: expect.stringContaining(`${field}:`) as unknown,
      }),
    );
  });
});

it('an extension names nothing but the allocation and the count', () => {
  expect(encodeExtension('/org/dmabroker1/allocation/a', 4)).toEqual([
    [],
    [
      ['extends', { signature: 'o', value: '/org/dmabroker1/allocation/a' }],
      ['count', { signature: 'u', value: 4 }],
    ],
  ]);
});
