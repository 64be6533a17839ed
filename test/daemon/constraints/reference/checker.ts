import {
  LINEAR,
  type Constraint,
  type Decision,
  type Image,
  type Memory,
  type PlaneShape,
  type Problem,
} from '../../../../daemon/constraints/constraint-types.js';
import { memoryConstraints } from './memory.js';
import { rowBytes } from './geometry.js';
import { inForce } from './reference.js';
import { COMPRESSED, tiledRow, tileOf } from './tiles.js';

type Answer = Extract<Decision, { feasible: true }>;

/** What is wrong with an answer: a sentence for each constraint that it breaks and each rule of a layout. */
export function faults(problem: Problem, answer: Answer): readonly string[] {
  const broken = inForce(problem)
    .filter((constraint) => !satisfies(problem, answer, constraint))
    .map(
      (constraint) => `breaks ${constraint.kind} ${String(constraint.value)} of ${constraint.origin.source}`,
    );
  return [
    ...broken,
    ...heldTooMany(problem),
    ...misplaced(problem, answer),
    ...unfitMemories(problem, answer),
  ];
}

/** Whether an answer does what one constraint says, alone. */
function satisfies({ content }: Problem, { layout, memories }: Answer, constraint: Constraint): boolean {
  const image = 'format' in content ? content : undefined;
  // Metadata is in planes behind those of the format: of them, only where they begin is asked.
  const all = layout.image?.planes ?? [];
  const planes = all.slice(0, image?.format.planes.length).map((plane, place) => ({
    ...plane,
    shape: image?.format.planes[place],
  }));
  const modifier = layout.image?.modifier;
  const roundedTo = (row: bigint, step: bigint): bigint => row + ((step - (row % step)) % step);
  switch (constraint.kind) {
    case 'formats':
    case 'modifiers':
      return modifier === undefined || constraint.value.includes(modifier);
    case 'pitch-multiple':
      return planes.every(({ pitch }) => pitch <= (constraint.above ?? 0) || pitch % constraint.value === 0);
    case 'width-multiple':
      // Whole samples, and pixels that the multiple divides.
      return planes.every(
        ({ pitch, shape }) =>
          shape !== undefined &&
          pitch % shape.bytes === 0 &&
          (BigInt(pitch / shape.bytes) * BigInt(shape.hsub)) % BigInt(constraint.value) === 0n,
      );
    case 'pitch-exact':
      return planes.every(
        ({ pitch, shape }) =>
          image !== undefined &&
          shape !== undefined &&
          BigInt(pitch) === roundedTo(rowOf(image, shape, modifier), BigInt(constraint.value)),
      );
    case 'pitch-linked':
      return (
        !constraint.value ||
        planes.every(({ pitch, shape }) => {
          const [first] = planes;
          // Cross-multiplied: pitch / pitch₀ is to be what the planes' bytes for a pixel are to each other.
          return (
            first?.shape !== undefined &&
            shape !== undefined &&
            BigInt(pitch) * BigInt(first.shape.bytes * shape.hsub) ===
              BigInt(first.pitch) * BigInt(shape.bytes * first.shape.hsub)
          );
        })
      );
    case 'pitch-min':
      return planes.every(({ pitch }) => pitch >= constraint.value);
    case 'pitch-max':
      return planes.every(({ pitch }) => pitch <= constraint.value);
    case 'offset-multiple':
      return all.every(({ offset }) => offset % BigInt(constraint.value) === 0n);
    case 'planes-apart':
      if (all.length > planes.length) {
        return !constraint.value;
      }
      return planes.length < 2 || constraint.value
        ? planes.length < 2 || layout.fdSizes?.length === planes.length
        : constraint.origin.source === 'client' || layout.fdSizes === undefined;
    case 'planes-contiguous': {
      if (!constraint.value || image === undefined) {
        return true;
      }
      if (layout.fdSizes !== undefined || all.length > planes.length) {
        return false;
      }
      const rows = roundedTo(BigInt(image.height), BigInt(constraint.rows ?? 1));
      return planes.every(({ offset, pitch, shape }, plane) => {
        const down = BigInt(shape?.vsub ?? 1);
        const next = planes[plane + 1];
        return next === undefined || next.offset === offset + BigInt(pitch) * ((rows + down - 1n) / down);
      });
    }
    case 'height-multiple':
      return (
        image === undefined ||
        roomForRows(planes, layout, roundedTo(BigInt(image.height), BigInt(constraint.value)))
      );
    case 'size-multiple':
      return sizesOf(layout).every((size) => size % constraint.value === 0n);
    case 'size-min':
      return sizesOf(layout).every((size) => size >= constraint.value);
    case 'size-extra':
      return image === undefined
        ? layout.size >= plainSize(content) + constraint.value
        : roomForRows(planes, layout, BigInt(image.height), constraint.value);
    case 'max-width':
      return image === undefined || image.width <= constraint.value;
    case 'max-height':
      return image === undefined || image.height <= constraint.value;
    case 'contiguous':
      return !constraint.value || memories.every((memory) => memory.contiguous);
    case 'protected':
      return memories.every((memory) =>
        constraint.value ? memory.protected : constraint.origin.source === 'client' || !memory.protected,
      );
    case 'address-bits':
      return memories.every((memory) => memory.addressBits <= constraint.value);
    case 'reach':
      return memories.every((memory) => constraint.value.includes(memory.handle));
    case 'min-buffers':
    case 'total':
    case 'count':
    case 'spare':
    case 'count-min':
    case 'count-max':
    case 'max-buffers':
    case 'width':
    case 'height':
    case 'size':
      return true;
  }
}

/** Bytes of a row of one plane, in whole tiles where there are some. */
function rowOf(image: Image, shape: PlaneShape, modifier: bigint | undefined): bigint {
  const tile = modifier === undefined ? undefined : tileOf(image, modifier);
  return tile === undefined ? rowBytes(image, shape) : tiledRow(image, tile);
}

const plainSize = (content: Problem['content']): bigint => ('size' in content ? content.size : 0n);

/** Bytes of each descriptor. */
const sizesOf = ({ size, fdSizes }: Answer['layout']): readonly bigint[] => fdSizes ?? [size];

/** Whether every plane holds so many rows of the image before the next plane comes, or so many bytes and the end. */
function roomForRows(
  planes: readonly { offset: bigint; pitch: number; shape: { vsub: number } | undefined }[],
  { size, fdSizes }: Answer['layout'],
  height: bigint,
  extra = 0n,
): boolean {
  return planes.every(({ offset, pitch, shape }, place) => {
    const down = BigInt(shape?.vsub ?? 1);
    const rows = (height + down - 1n) / down;
    const end = fdSizes?.[place] ?? (place === planes.length - 1 ? size : undefined);
    return (
      offset + BigInt(pitch) * rows <= (end === undefined ? (planes[place + 1]?.offset ?? 0n) : end - extra)
    );
  });
}

function heldTooMany({ constraints }: Problem): readonly string[] {
  const held = constraints.reduce((sum, c) => sum + (c.kind === 'min-buffers' ? c.value : 0), 0);
  const short = constraints.some((c) => (c.kind === 'total' || c.kind === 'count') && c.value < held);
  return short ? ['holds fewer buffers than the participants keep'] : [];
}

function misplaced({ content }: Problem, { layout }: Answer): readonly string[] {
  const sizeFits = layout.size < 2n ** 63n ? [] : ['is larger than 63 bits'];
  if (!('format' in content)) {
    return [
      ...sizeFits,
      ...(layout.image === undefined ? [] : ['has an image that nobody asked for']),
      ...(layout.size >= content.size ? [] : ['is smaller than asked']),
    ];
  }
  const { image } = layout;
  if (image === undefined) {
    return ['has no image'];
  }
  const shapes = content.format.planes;
  const planes = image.planes
    .slice(0, shapes.length)
    .map((plane, place) => ({ ...plane, shape: shapes[place] }));
  const metadata = image.planes.length - planes.length;
  const same =
    image.format === content.format.fourcc &&
    image.width === content.width &&
    image.height === content.height;
  return [
    ...sizeFits,
    ...(same ? [] : ['is another image']),
    ...(planes.length === shapes.length && metadata === (image.modifier === COMPRESSED ? 1 : 0)
      ? []
      : ['has not the planes of its format and modifier']),
    ...(planes.every(({ pitch }) => Number.isInteger(pitch) && pitch < 2 ** 32)
      ? []
      : ['has a pitch beyond 32 bits']),
    ...(planes.every(({ pitch, shape }) => shape !== undefined && BigInt(pitch) >= rowBytes(content, shape))
      ? []
      : ['has rows longer than their pitch']),
    ...(sizesOf(layout).reduce((sum, size) => sum + size, 0n) === layout.size
      ? []
      : ['is not as large as its parts']),
    ...(roomForRows(planes, layout, BigInt(content.height)) ? [] : ['has planes on top of each other']),
  ];
}

function unfitMemories(problem: Problem, { layout, memories }: Answer): readonly string[] {
  const modifier = layout.image?.modifier ?? LINEAR;
  const known = (memory: Memory): boolean => problem.memories.includes(memory);
  const laysOut = (memory: Memory): boolean =>
    layout.image === undefined || memory.modifiers.includes(modifier);
  return [
    ...(memories.length > 0 ? [] : ['has no memory']),
    ...(new Set(memories).size === memories.length ? [] : ['names a memory twice']),
    ...(memories.every(known) ? [] : ['names a memory that is not there']),
    ...(memories.every(laysOut) ? [] : ['names a memory that does not lay out the modifier']),
  ];
}

/** What is wrong with the list of constraints that an answer gives as its reasons. */
export function missingReasons(problem: Problem, decision: Decision): readonly Constraint[] {
  return [...inForce(problem), ...memoryConstraints(problem)].filter(
    (wanted) => !decision.constraints.some((given) => sameConstraint(given, wanted)),
  );
}

/** Equal in all that a constraint says. */
export function sameConstraint(a: Constraint, b: Constraint): boolean {
  return identity(a) === identity(b);
}

/** A constraint as text, equal for constraints that say the same. */
export function identity(constraint: Constraint): string {
  const { kind, value, origin, memory = '', above = 0, rows = 1, orApart = false } = constraint;
  const said = Array.isArray(value) ? value.join(' ') : String(value);
  return [kind, said, origin.entry, origin.device, origin.source, memory, above, rows, orApart].join('|');
}
