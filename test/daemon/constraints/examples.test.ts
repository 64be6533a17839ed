import { describe, expect, it } from 'vitest';
import { decide } from '../../../daemon/constraints/decide.js';
import { pixelFormat } from '../../../daemon/constraints/formats.js';
import type {
  Constraint,
  ConstraintKind,
  ConstraintValues,
  Decision,
  Memory,
  PixelFormat,
  Problem,
} from '../../../daemon/constraints/constraint-types.js';

function format(fourcc: string): PixelFormat {
  const found = pixelFormat(fourcc);
  if (found === undefined) {
    throw new Error(`no format ${fourcc}`);
  }
  return found;
}

const X_TILED = 0x0100_0000_0000_0001n;
const system: Memory = {
  handle: 'p-system',
  class: 'scattered',
  contiguous: false,
  protected: false,
  modifiers: [0n],
  addressBits: 36,
};
const contiguous: Memory = { ...system, handle: 'p-contiguous', class: 'contiguous', contiguous: true };
const secure: Memory = { ...system, handle: 'p-secure', class: 'protected', protected: true };

/** One constraint, as a device rule or a client would bring it. */
function says<K extends ConstraintKind>(
  device: string,
  kind: K,
  value: ConstraintValues[K],
  source = 'client',
): Constraint & { kind: K } {
  const entry = ENTRIES.indexOf(device);
  return { kind, value, origin: { entry, device: entry < 0 ? '' : device, source } } as Constraint & {
    kind: K;
  };
}
const ENTRIES = ['amdgpu', 'i915', 'rkvdec', 'cpu'];

function ask(asked: Partial<Problem> & Pick<Problem, 'constraints'>): Decision {
  return decide({
    content: { format: format('XR24'), width: 1920, height: 1080 },
    memories: [system],
    ...asked,
  });
}

/** A conflict, one line a constraint: who, what, and for a memory which. */
function conflictOf(decision: Decision): readonly string[] {
  const told = (decision.feasible ? [] : decision.conflict).map(
    ({ kind, value, origin, memory }) =>
      `${memory ?? origin.device} ${kind} ${String(value)} (${origin.source})`,
  );
  return told.sort();
}

const pitches = (decision: Decision): unknown =>
  decision.feasible ? decision.layout.image?.planes.map((plane) => plane.pitch) : undefined;
const handles = (decision: Decision): unknown =>
  decision.feasible ? decision.memories.map((memory) => memory.handle) : undefined;

const rule = 'policy:10-gpu.conf:4';
const amdgpuPitch = says('amdgpu', 'pitch-exact', 256, rule);

describe('two GPUs', () => {
  it('share the pitch that the stricter one takes', () => {
    const decision = ask({
      content: { format: format('XR24'), width: 1366, height: 768 },
      constraints: [amdgpuPitch, says('i915', 'pitch-multiple', 64, rule)],
    });
    // 1366 × 4 = 5464 bytes, rounded up to 256
    expect(pitches(decision)).toEqual([5632]);
    expect(decision.feasible && decision.layout.size).toBe(5632n * 768n);
  });

  it('cannot share when one takes exactly 3840 bytes and the other multiples of 512 only', () => {
    const multiple = says('i915', 'pitch-multiple', 512, rule);
    const decision = ask({
      content: { format: format('RG16'), width: 1920, height: 1080 },
      constraints: [amdgpuPitch, says('i915', 'pitch-multiple', 64, rule), multiple],
    });
    expect(decision.feasible).toBe(false);
    expect(conflictOf(decision)).toEqual([
      'amdgpu pitch-exact 256 (policy:10-gpu.conf:4)',
      'i915 pitch-multiple 512 (policy:10-gpu.conf:4)',
    ]);
  });

  it('can share when the exact pitch happens to be a multiple of 512', () => {
    const multiple = says('i915', 'pitch-multiple', 512, rule);
    // 1920 × 4 = 15 × 512
    expect(pitches(ask({ constraints: [amdgpuPitch, multiple] }))).toEqual([7680]);
  });

  it('tile the image when both and a memory can', () => {
    const both = [
      says('amdgpu', 'formats', [0n, X_TILED], 'kernel:IN_FORMATS'),
      says('i915', 'formats', [X_TILED, 0n], 'kernel:IN_FORMATS'),
    ];
    const tiling = { ...system, handle: 'p-tiling', modifiers: [0n, X_TILED] };
    const linear = ask({ constraints: both });
    const tiled = ask({ constraints: both, memories: [system, tiling] });
    expect(linear.feasible && linear.layout.image?.modifier).toBe(0n);
    expect(tiled.feasible && tiled.layout.image?.modifier).toBe(X_TILED);
    expect(handles(tiled)).toEqual(['p-tiling']);
  });
});

describe('a video decoder', () => {
  it('lays NV12 out with one pitch for both planes and room for whole macroblocks', () => {
    const decision = ask({
      content: { format: format('NV12'), width: 1920, height: 1080 },
      constraints: [
        says('rkvdec', 'pitch-multiple', 16, 'kernel:TRY_FMT'),
        says('rkvdec', 'pitch-linked', true, 'kernel:TRY_FMT'),
        says('rkvdec', 'height-multiple', 16, 'kernel:TRY_FMT'),
        says('amdgpu', 'offset-multiple', 4096, rule),
      ],
    });
    // 1920 × 1088 bytes of brightness end on a page; half as many rows of colour follow
    expect(decision.feasible && decision.layout).toEqual({
      image: {
        format: 'NV12',
        modifier: 0n,
        width: 1920,
        height: 1080,
        planes: [
          { offset: 0n, pitch: 1920 },
          { offset: 2_088_960n, pitch: 1920 },
        ],
      },
      size: 3_133_440n,
    });
  });

  // Hantro G1: `hantro_try_fmt` of the kernel adds room for motion vectors, and videobuf2 refuses a shorter buffer.
  it('has its smallest size, rounded up to what another device asks', () => {
    const image = { format: format('NV12'), width: 640, height: 480 };
    const least = says('rkvdec', 'size-min', 537_632n, 'kernel:TRY_FMT');
    const sizeOf = (constraints: readonly Constraint[], content: Problem['content'] = image): unknown => {
      const decision = ask({ content, constraints });
      return decision.feasible && decision.layout.size;
    };
    expect(sizeOf([])).toBe(460_800n);
    expect(sizeOf([least])).toBe(537_632n);
    expect(sizeOf([least, says('amdgpu', 'size-min', 500_000n)])).toBe(537_632n);
    expect(sizeOf([least, says('amdgpu', 'size-multiple', 4096n)])).toBe(540_672n);
    expect(sizeOf([least], { size: 4096n })).toBe(537_632n);
    expect(sizeOf([least], { size: 2n ** 20n })).toBe(2n ** 20n);
  });

  // `get_framesize_raw_nv12` of the kernel's venus driver: 4 KiB and 8 KiB behind planes of 128 × 32 bytes.
  it('has room behind the last plane', () => {
    const venus = [
      says('rkvdec', 'pitch-multiple', 128, rule),
      says('rkvdec', 'height-multiple', 32, rule),
      says('rkvdec', 'size-extra', 12_288n, rule),
      says('rkvdec', 'size-multiple', 4096n, rule),
    ];
    const ofSize = (content: Problem['content'], constraints: readonly Constraint[]): unknown => {
      const decision = ask({ content, constraints });
      return decision.feasible && decision.layout.size;
    };
    const image = { format: format('NV12'), width: 1920, height: 1080 };
    expect(ofSize(image, venus)).toBe(3_145_728n);
    // Two that read beyond the end read the same bytes.
    const more = says('amdgpu', 'size-extra', 64n);
    expect(ofSize(image, [...venus, more])).toBe(3_145_728n);
    expect(ofSize(image, [more])).toBe(3_110_400n + 64n);
    expect(ofSize({ size: 4096n }, [more])).toBe(4160n);
    const clash = ask({ content: { size: 2n ** 63n - 1n }, constraints: [more] });
    expect(conflictOf(clash)).toEqual(['amdgpu size-extra 64 (client)']);
  });

  it('needs contiguous memory that is not there', () => {
    const decision = ask({ constraints: [says('rkvdec', 'contiguous', true, 'kernel:iommu')] });
    expect(conflictOf(decision)).toEqual([
      'p-system contiguous false (memory:p-system)',
      'rkvdec contiguous true (kernel:iommu)',
    ]);
  });

  it('gets contiguous memory that is there, and nobody else does unasked', () => {
    const memories = [contiguous, secure, system];
    const needed = ask({ constraints: [says('rkvdec', 'contiguous', true, 'kernel:iommu')], memories });
    expect(handles(needed)).toEqual(['p-contiguous']);
    const unasked = ask({ constraints: [], memories });
    expect(unasked.feasible && unasked.memories[0]?.handle).toBe('p-system');
    expect(unasked.feasible && unasked.memories.length).toBe(3);
  });

  it('reaches below 4 GiB only', () => {
    const low = says('rkvdec', 'address-bits', 32, 'kernel:dma_mask_bits');
    expect(conflictOf(ask({ constraints: [low] }))).toEqual([
      'p-system address-bits 36 (memory:p-system)',
      'rkvdec address-bits 32 (kernel:dma_mask_bits)',
    ]);
    expect(
      handles(ask({ constraints: [low], memories: [system, { ...contiguous, addressBits: 32 }] })),
    ).toEqual(['p-contiguous']);
  });
});

describe('the processor', () => {
  const linearOnly = says('cpu', 'modifiers', [0n], 'kernel:cpu');
  const unprotectedOnly = says('cpu', 'protected', false, 'kernel:cpu');

  it('cannot read an image that a GPU takes tiled only', () => {
    const tiledOnly = says('i915', 'formats', [X_TILED], 'kernel:IN_FORMATS');
    const tiling = { ...system, modifiers: [0n, X_TILED] };
    expect(conflictOf(ask({ constraints: [linearOnly, tiledOnly], memories: [tiling] }))).toEqual([
      'cpu modifiers 0 (kernel:cpu)',
      `i915 formats ${X_TILED} (kernel:IN_FORMATS)`,
    ]);
  });

  it('cannot read what a client wants protected, whatever memory there is', () => {
    const wanted = says('rkvdec', 'protected', true);
    for (const memories of [[secure], [system, secure], [system, contiguous, secure]]) {
      expect(conflictOf(ask({ constraints: [unprotectedOnly, wanted], memories }))).toEqual(
        memories.length === 1
          ? ['cpu protected false (kernel:cpu)']
          : ['cpu protected false (kernel:cpu)', 'rkvdec protected true (client)'],
      );
    }
  });

  it('is kept away from protected memory, while a client that says false asks for nothing', () => {
    const memories = [secure, contiguous];
    expect(handles(ask({ constraints: [unprotectedOnly], memories }))).toEqual(['p-contiguous']);
    expect(handles(ask({ constraints: [says('rkvdec', 'protected', false)], memories: [secure] }))).toEqual([
      'p-secure',
    ]);
  });
});

describe('buffers held at once', () => {
  const held = [
    says('amdgpu', 'min-buffers', 2, rule),
    says('rkvdec', 'min-buffers', 4, 'kernel:V4L2_CID_MIN_BUFFERS_FOR_CAPTURE'),
    says('cpu', 'min-buffers', 1),
  ];

  it('add up to at most the whole set', () => {
    expect(ask({ constraints: [...held, says('', 'total', 7, 'request')] }).feasible).toBe(true);
    expect(ask({ constraints: held }).feasible).toBe(true);
  });

  it('conflict with a smaller set, and only those are named that it takes to', () => {
    expect(conflictOf(ask({ constraints: [...held, says('', 'count', 5, 'request')] }))).toEqual([
      ' count 5 (request)',
      'amdgpu min-buffers 2 (policy:10-gpu.conf:4)',
      'rkvdec min-buffers 4 (kernel:V4L2_CID_MIN_BUFFERS_FOR_CAPTURE)',
    ]);
  });
});

describe('numbers without a place in 32 or 64 bits', () => {
  it('are a conflict of the multiples alone', () => {
    const [one, other] = [2 ** 32 - 5, 2 ** 32 - 17];
    expect(
      conflictOf(
        ask({
          constraints: [
            says('amdgpu', 'pitch-multiple', one),
            says('i915', 'pitch-multiple', other),
            says('cpu', 'pitch-multiple', 1),
          ],
        }),
      ),
    ).toEqual(['amdgpu pitch-multiple 4294967291 (client)', 'i915 pitch-multiple 4294967279 (client)']);
    const size = ask({
      content: { size: 2n ** 62n + 1n },
      constraints: [says('i915', 'size-multiple', 2n ** 62n)],
    });
    expect(conflictOf(size)).toEqual(['i915 size-multiple 4611686018427387904 (client)']);
  });

  it('are a conflict of the image alone when no constraint is to blame', () => {
    const wide = ask({
      content: { format: format('XR24'), width: 2 ** 30, height: 1 },
      constraints: [amdgpuPitch],
    });
    expect(wide.feasible ? [] : wide.conflict).toEqual([
      { kind: 'width', value: 2 ** 30, origin: { entry: -1, device: '', source: 'request' } },
    ]);
    const side = 2 ** 32 - 1;
    const high = ask({ content: { format: format('YU24'), width: side, height: side }, constraints: [] });
    expect(high.feasible ? [] : high.conflict).toEqual([
      { kind: 'height', value: side, origin: { entry: -1, device: '', source: 'request' } },
    ]);
  });

  it('are exact up to the last byte', () => {
    // off_t: 2⁶³−1 = (2³¹)(2³²−1) + …, so one row more of 2³²−1 pixels is too much.
    const image = (height: number) => ({ format: format('R8  '), width: 2 ** 32 - 1, height });
    const last = ask({ content: image(2 ** 31), constraints: [] });
    expect(last.feasible && last.layout.size).toBe((2n ** 32n - 1n) * 2n ** 31n);
    expect(ask({ content: image(2 ** 31 + 1), constraints: [] }).feasible).toBe(false);
    const bytes = ask({ content: { size: 2n ** 63n - 1n }, constraints: [] });
    expect(bytes.feasible && bytes.layout).toEqual({ size: 2n ** 63n - 1n });
    expect(ask({ content: { size: 2n ** 63n }, constraints: [] })).toMatchObject({
      feasible: false,
      conflict: [{ kind: 'size', origin: { source: 'request' } }],
    });
  });

  it('have offsets of 32 bits, as ADDFB2 and linux-dmabuf do', () => {
    // Luma of NV12 ends at width × height, which is where chroma begins.
    const image = (height: number) => ({ format: format('NV12'), width: 65_536, height });
    expect(ask({ content: image(65_534), constraints: [] }).feasible).toBe(true);
    expect(ask({ content: image(65_536), constraints: [] })).toMatchObject({
      feasible: false,
      conflict: [{ kind: 'height', origin: { source: 'request' } }],
    });
  });
});

describe('what a driver does with its own buffers', () => {
  const habit = { ...says('i915', 'pitch-multiple', 64, 'kernel:CREATE_DUMB'), habit: true } as const;
  const narrow = { format: format('XR24'), width: 1366, height: 768 };
  const pitchOf = (decision: Decision): number | undefined =>
    decision.feasible ? decision.layout.image?.planes[0]?.pitch : undefined;

  it('is done where others take it', () => {
    expect(pitchOf(ask({ content: narrow, constraints: [habit] }))).toBe(5504);
  });

  it('gives way where others do not, and then is no reason', () => {
    const exact = says('cpu', 'pitch-exact', 8);
    const decision = ask({ content: narrow, constraints: [habit, exact] });
    expect(pitchOf(decision)).toBe(5464);
    expect(decision.constraints).not.toContain(habit);
  });

  it('is part of no conflict', () => {
    const decision = ask({
      content: narrow,
      constraints: [habit, says('cpu', 'pitch-exact', 8), says('cpu', 'pitch-multiple', 64)],
    });
    expect(conflictOf(decision)).toEqual(['cpu pitch-exact 8 (client)', 'cpu pitch-multiple 64 (client)']);
  });
});
