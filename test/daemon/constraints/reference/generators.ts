import fc from 'fast-check';
import { pixelFormat } from '../../../../daemon/constraints/formats.js';
import type {
  Constraint,
  ConstraintKind,
  ConstraintValues,
  Memory,
  Origin,
  PixelFormat,
  Problem,
} from '../../../../daemon/constraints/constraint-types.js';
import { COMPRESSED, EXACT, GROWING } from './tiles.js';

/** One format of every shape that matters: packed, blocks of pixels, two and three planes, uneven bytes. */
const FORMATS: readonly PixelFormat[] = [
  'R8  ',
  'RG24',
  'XR24',
  'YUYV',
  'R8A8',
  'NV12',
  'NV24',
  'NV15',
  'NV30',
  'P030',
  'YU12',
  'YUV9',
].flatMap((fourcc) => pixelFormat(fourcc) ?? []);

/** Linear, tiles of each sort, and one that no geometry is known of. */
const MODIFIERS = [0n, GROWING, EXACT, COMPRESSED, 0x0200_0000_0000_0007n] as const;
const HANDLES = ['p-a', 'p-b', 'p-c'] as const;
/** All divide 480, so that a search that counts finds any common multiple soon. */
const SMALL_MULTIPLES = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 30, 32, 40, 48, 60, 80, 96] as const;

/**
 * Numbers that a search by counting tries: more than the common multiple of all small multiples and of 8 pixels of 16 bytes
 * (1,920), times what a linked plane can ask for on top (2).
 */
export const HORIZON = 4_000;

/** For each kind, what a participant may say of it. */
type Values = { readonly [K in ConstraintKind]?: fc.Arbitrary<ConstraintValues[K]> };

/** Kinds that need no large or small form: they speak of memories, modifiers and wishes. */
const wishes = {
  formats: someOf(MODIFIERS),
  modifiers: someOf(MODIFIERS),
  'pitch-linked': fc.boolean(),
  'planes-contiguous': fc.boolean(),
  'planes-apart': fc.boolean(),
  contiguous: fc.boolean(),
  protected: fc.boolean(),
  'address-bits': fc.constantFrom(24, 32, 36, 40, 64),
  reach: fc.subarray([...HANDLES], { minLength: 1 }),
} as const satisfies Values;

/** Ranges such that about half of all problems hold together. */
const smallValues = {
  ...wishes,
  'pitch-multiple': fc.constantFrom(...SMALL_MULTIPLES),
  'width-multiple': fc.constantFrom(1, 2, 4, 8),
  'pitch-exact': fc.constantFrom(...SMALL_MULTIPLES),
  'pitch-min': fc.integer({ min: 0, max: 150 }),
  'pitch-max': fc.integer({ min: 40, max: 600 }),
  'offset-multiple': fc.constantFrom(...SMALL_MULTIPLES),
  'height-multiple': fc.constantFrom(...SMALL_MULTIPLES),
  'size-multiple': fc.constantFrom(...SMALL_MULTIPLES).map(BigInt),
  'size-min': fc.bigInt({ min: 1n, max: 6_000n }),
  'size-extra': fc.bigInt({ min: 1n, max: 1_000n }),
  'max-width': fc.integer({ min: 15, max: 60 }),
  'max-height': fc.integer({ min: 5, max: 30 }),
  'min-buffers': fc.integer({ min: 0, max: 4 }),
} as const satisfies Values;

/** Numbers at the edges of 32 bits, with the largest primes below them, between everyday ones. */
const WIDE = [
  1,
  2,
  3,
  64,
  256,
  1920,
  65_521,
  65_536,
  2 ** 30,
  2 ** 31,
  2 ** 32 - 17,
  2 ** 32 - 5,
  2 ** 32 - 1,
] as const;
/** The same for sizes. */
const VAST = [
  1n,
  4096n,
  2n ** 32n + 15n,
  2n ** 61n,
  2n ** 62n,
  3n * 2n ** 61n,
  // The largest prime below 2⁶³, and the largest size.
  2n ** 63n - 25n,
  2n ** 63n - 1n,
] as const;

const wide = fc.constantFrom(...WIDE);
const hugeValues = {
  ...wishes,
  'pitch-multiple': wide,
  'width-multiple': wide,
  'pitch-exact': wide,
  'pitch-min': fc.constantFrom(0, ...WIDE),
  'pitch-max': fc.oneof({ weight: 1, arbitrary: wide }, { weight: 4, arbitrary: fc.constant(2 ** 32 - 1) }),
  // Small ones never clash: a few large ones have no common multiple that fits.
  'offset-multiple': fc.oneof(wide, fc.constantFrom(2 ** 32 - 17, 2 ** 32 - 5, 2 ** 32 - 1)),
  'height-multiple': wide,
  'size-multiple': fc.constantFrom(...VAST),
  'size-min': fc.constantFrom(...VAST),
  'size-extra': fc.constantFrom(...VAST),
  'max-width': fc.oneof({ weight: 1, arbitrary: wide }, { weight: 4, arbitrary: fc.constant(2 ** 32 - 1) }),
  'max-height': fc.oneof({ weight: 1, arbitrary: wide }, { weight: 4, arbitrary: fc.constant(2 ** 32 - 1) }),
  'min-buffers': fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1),
} as const satisfies Values;

function someOf(modifiers: readonly bigint[]): fc.Arbitrary<readonly bigint[]> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.subarray([...modifiers], { minLength: 1 }) },
    { weight: 1, arbitrary: fc.constant([]) },
  );
}

const sources = fc.constantFrom('client', 'kernel:drm', 'trial:import', 'policy:devices.conf:12');

/** One constraint of a participant, the kind drawn from `values`. */
function constraint(values: Values, origin: Omit<Origin, 'source'>): fc.Arbitrary<Constraint> {
  const kinds = Object.entries(values).map(([kind, value]) =>
    fc
      .record({ value: value as fc.Arbitrary<unknown>, source: sources, more: refinement(kind) })
      .map(
        ({ value, source, more }) => ({ kind, value, origin: { ...origin, source }, ...more }) as Constraint,
      ),
  );
  return fc.oneof(...kinds);
}

/** Sizes that conditions begin above: of small problems, at the edges of 32 bits, and those of hardware. */
const SIZES = [0, 10, 30, 47, 48, 80, 100, 150, 32_768, 2 ** 31, 2 ** 32 - 2] as const;

/** What narrows a constraint of a kind down, where it is. */
function refinement(kind: string): fc.Arbitrary<Pick<Constraint, 'above' | 'rows' | 'orApart'>> {
  const nothing = { weight: 2, arbitrary: fc.constant({}) };
  if (kind === 'pitch-multiple')
    return fc.oneof(nothing, { weight: 1, arbitrary: fc.constantFrom(...SIZES).map((above) => ({ above })) });
  if (kind === 'planes-contiguous')
    return fc.oneof(nothing, {
      weight: 1,
      arbitrary: fc.record(
        { rows: fc.constantFrom(1, 2, 4, 6, 8), orApart: fc.constant(true as const) },
        { requiredKeys: [] },
      ),
    });
  return fc.constant({});
}

function participants(values: Values, most: number): fc.Arbitrary<readonly Constraint[]> {
  const one = (entry: number): fc.Arbitrary<readonly Constraint[]> =>
    fc
      .constantFrom(`/dev/dri/card${entry}`, `/dev/video${entry}`, 'cpu')
      .chain((device) => fc.array(constraint(values, { entry, device }), { maxLength: most }));
  return fc
    .integer({ min: 1, max: 4 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, entry) => one(entry))))
    .map((lists) => lists.flat());
}

/** What the request itself says. */
const requestSays = (buffers: fc.Arbitrary<number>): fc.Arbitrary<readonly Constraint[]> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 2,
      arbitrary: fc
        .record({
          kind: fc.constantFrom('total' as const, 'count' as const),
          value: buffers,
        })
        .map((said) => [{ ...said, origin: { entry: -1, device: '', source: 'request' } }]),
    },
  );

const memories: fc.Arbitrary<readonly Memory[]> = fc
  .integer({ min: 1, max: HANDLES.length })
  .chain((count) => fc.tuple(...HANDLES.slice(0, count).map(memory)));

function memory(handle: string): fc.Arbitrary<Memory> {
  return fc
    .record({
      contiguous: fc.boolean(),
      protected: fc.oneof(
        { weight: 4, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
      modifiers: fc.oneof(
        { weight: 2, arbitrary: fc.constant([0n]) },
        { weight: 1, arbitrary: fc.subarray([...MODIFIERS], { minLength: 1 }) },
      ),
      addressBits: fc.constantFrom(30, 32, 36, 40),
    })
    .map((properties) => ({
      handle,
      class: properties.protected ? 'protected' : properties.contiguous ? 'contiguous' : 'scattered',
      ...properties,
    }));
}

const image = (width: fc.Arbitrary<number>, height: fc.Arbitrary<number>): fc.Arbitrary<Problem['content']> =>
  fc.record({ format: fc.constantFrom(...FORMATS), width, height });

const bytes = (size: fc.Arbitrary<bigint>): fc.Arbitrary<Problem['content']> => fc.record({ size });

interface Sort {
  readonly image: fc.Arbitrary<Problem['content']>;
  readonly bytes: fc.Arbitrary<Problem['content']>;
  readonly buffers: fc.Arbitrary<number>;
  readonly values: Values;
  /** The most that one participant says. */
  readonly most: number;
}

function problem({ image, bytes, buffers, values, most }: Sort): fc.Arbitrary<Problem> {
  const content = fc.oneof({ weight: 6, arbitrary: image }, { weight: 1, arbitrary: bytes });
  return fc
    .record({ content, asked: requestSays(buffers), limits: participants(values, most), memories })
    .map(({ content, asked, limits, memories }) => ({
      content,
      constraints: [...asked, ...limits],
      memories,
    }));
}

/** Problems that can be solved by trying every number; about half of them have no answer. */
export const smallProblem: fc.Arbitrary<Problem> = problem({
  image: image(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20 })),
  bytes: bytes(fc.bigInt({ min: 1n, max: 500n })),
  buffers: fc.integer({ min: 1, max: 6 }),
  values: smallValues,
  most: 4,
});

/** Small problems of images that can be tiled, in memories that can hold tiles. */
export const tiledProblem: fc.Arbitrary<Problem> = fc
  .record({
    problem: smallProblem,
    image: fc.record({
      format: fc.constantFrom(...FORMATS.filter(({ planes }) => planes.length === 1)),
      width: fc.integer({ min: 1, max: 40 }),
      height: fc.integer({ min: 1, max: 20 }),
    }),
    offered: fc.subarray([...MODIFIERS], { minLength: 2 }),
  })
  .map(({ problem: { constraints, memories }, image, offered }) => ({
    content: image,
    constraints,
    memories: memories.map((memory) => ({ ...memory, modifiers: offered })),
  }));

/** Problems whose numbers reach to the ends of 32 and 64 bits. */
export const hugeProblem: fc.Arbitrary<Problem> = problem({
  image: image(
    fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 70_000 }) }, { weight: 1, arbitrary: wide }),
    wide,
  ),
  bytes: bytes(fc.constantFrom(...VAST)),
  buffers: wide,
  values: hugeValues,
  most: 3,
});

/** One more thing that a participant of a small problem says. */
export const smallConstraint: fc.Arbitrary<Constraint> = constraint(smallValues, {
  entry: 4,
  device: '/dev/dri/card4',
});
