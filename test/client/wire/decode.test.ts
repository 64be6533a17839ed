import { expect, it } from 'vitest';

import { decodeLayout } from '../../../client/wire/decode.js';
import type { WireDict, WireValue } from '../../../dbus/connection/bus-types.js';

const of = (signature: string, value: WireValue) => ({ signature, value });

interface Said {
  readonly size?: bigint;
  readonly planes?: readonly (readonly [bigint, number])[];
  readonly planeFds?: readonly number[];
  readonly fdSizes?: readonly bigint[];
}
/** NV12 of 64 × 64: rows of 64 bytes, 64 and 32 of them. */
const layout = ({
  size = 6144n,
  planes = [
    [0n, 64],
    [4096n, 64],
  ],
  planeFds,
  fdSizes,
}: Said = {}): WireDict => [
  ['size', of('t', size)],
  ['count', of('u', 1)],
  ['pool', of('s', 'a1')],
  ['cpu-access', of('s', 'cached')],
  ['format', of('s', 'NV12')],
  ['modifier', of('t', 0n)],
  ['width', of('u', 64)],
  ['height', of('u', 64)],
  ['planes', of('a(tu)', planes)],
  ...(planeFds === undefined ? [] : [['plane-fds', of('au', planeFds)] as const]),
  ...(fdSizes === undefined ? [] : [['fd-sizes', of('at', fdSizes)] as const]),
];
const apart = {
  planes: [
    [0n, 64],
    [0n, 64],
  ],
  planeFds: [0, 1],
  fdSizes: [4096n, 2048n],
} as const;

it('believes planes that lie in their memory', () => {
  expect(decodeLayout(layout())).toMatchObject({ size: 6144n, planes: [{ offset: 0n }, { offset: 4096n }] });
  expect(decodeLayout(layout(apart))).toMatchObject({ fdSizes: [4096n, 2048n], planeFds: [0, 1] });
});

it.each<[string, Said]>([
  ['no planes', { planes: [] }],
  ['a pitch of 0', { planes: [[0n, 0]] }],
  ['a plane behind the size', { planes: [[6144n, 64]] }],
  ['a row that ends behind the size', { planes: [[6100n, 64]] }],
  ['no descriptors', { ...apart, fdSizes: [] }],
  ['more descriptors than planes', { ...apart, fdSizes: [4096n, 1024n, 1024n] }],
  ['descriptors that are not the size together', { ...apart, fdSizes: [4096n, 4096n] }],
  ['a plane in a descriptor that is not there', { ...apart, planeFds: [0, 2] }],
  ['no descriptor for a plane', { ...apart, planeFds: [0] }],
  [
    'a plane behind its own descriptor',
    {
      ...apart,
      planes: [
        [0n, 64],
        [2048n, 64],
      ],
    },
  ],
])('does not believe %s', (_title, said) => {
  expect(() => decodeLayout(layout(said))).toThrow(
    expect.objectContaining({ code: 'InvalidReply' }) as Error,
  );
});
