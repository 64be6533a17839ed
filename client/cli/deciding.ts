import { isLimit, LIMIT_TABLE } from '../../dbus/limits.js';
import { pixelFormat } from '../../daemon/constraints/formats.js';
import { tilingOf } from '../../daemon/constraints/geometry/index.js';
import { implies, merge } from '../../daemon/constraints/kinds/index.js';
import { layoutBytes, layoutImage, type Geometry } from '../../daemon/constraints/layout.js';
import { noLimits } from '../../daemon/constraints/limits.js';
import { layoutTiled } from '../../daemon/constraints/tiled.js';
import { LINEAR, type Constraint } from '../../daemon/constraints/constraint-types.js';
import type { ConstraintInfo, Explanation, Layout } from '../model.js';
import type { BufferRequest } from '../request.js';

/** What of a layout a constraint decides. */
export type Aspect = 'pitch' | 'offset' | 'size' | 'count';

/**
 * Which constraints made the layout what it is: without one of them, and without those that say no more than it does,
 * the buffer would be laid out otherwise. The broker's own rules lay it out, as often as there are such constraints.
 * @returns the aspects that each constraint decides; those that decide nothing are missing
 */
export function decidingConstraints(
  { layout, constraints }: Explanation,
  buffer: BufferRequest,
): ReadonlyMap<ConstraintInfo, readonly Aspect[]> {
  const deciding = new Map<ConstraintInfo, readonly Aspect[]>();
  if (layout === undefined) return deciding;
  const shaping = constraints.flatMap((info) => {
    const constraint = shapingConstraint(info);
    return constraint === undefined ? [] : [{ info, constraint }];
  });
  const whole = geometry(layout, buffer, shaping);
  for (const { info, constraint } of shaping) {
    const without = geometry(
      layout,
      buffer,
      shaping.filter((other) => !implies(constraint, other.constraint)),
    );
    const aspects = differences(whole, without);
    if (aspects.length > 0) deciding.set(info, aspects);
  }
  if (buffer.count === undefined && buffer.total === undefined) {
    for (const info of constraints) if (info.constraint === 'min-buffers') deciding.set(info, ['count']);
  }
  return deciding;
}

/** What the library makes of each type of the wire. */
const VALUE_TYPES = { u: 'number', t: 'bigint', b: 'boolean' } as const;

/** The constraint as the broker's rules know it, if it is one that shapes the layout. */
function shapingConstraint({
  constraint: kind,
  value,
  entry,
  device,
  source,
}: ConstraintInfo): Constraint | undefined {
  if (
    !isLimit(kind) ||
    LIMIT_TABLE[kind].part !== 'layout' ||
    typeof value !== VALUE_TYPES[LIMIT_TABLE[kind].type]
  )
    return undefined;
  return { kind, value, origin: { entry, device, source } } as Constraint;
}

function geometry(
  layout: Layout,
  buffer: BufferRequest,
  shaping: readonly { readonly constraint: Constraint }[],
): Geometry | undefined {
  const limits = noLimits();
  for (const { constraint } of shaping) merge(limits, constraint);
  if ('size' in buffer) return layoutBytes(BigInt(buffer.size), limits);
  const format = 'format' in layout ? pixelFormat(layout.format.padEnd(4)) : undefined;
  if (format === undefined || !('modifier' in layout)) return undefined;
  const { modifier } = layout;
  const image = { format, width: buffer.width, height: buffer.height };
  if (modifier === LINEAR) return layoutImage(image, limits);
  const tiling = tilingOf(format, modifier);
  return tiling && layoutTiled(image, tiling, limits);
}

function differences(one: Geometry | undefined, other: Geometry | undefined): readonly Aspect[] {
  if (one === undefined || other === undefined || 'failed' in one || 'failed' in other) return [];
  const differs = (key: 'pitch' | 'offset'): boolean =>
    one.planes.some((plane, index) => plane[key] !== other.planes[index]?.[key]);
  return [
    ...(differs('pitch') ? (['pitch'] as const) : []),
    ...(differs('offset') ? (['offset'] as const) : []),
    ...(one.size === other.size ? [] : (['size'] as const)),
  ];
}
