import type { WireDict, WireValue } from '../../dbus/connection/bus-types.js';
import { isLimit, LIMIT_TABLE, type Limit } from '../../dbus/limits.js';
import type { Explanation, GrantedLayout, Shortfall } from '../broker/broker-types.js';
import type { Constraint, ConstraintKind } from '../constraints/constraint-types.js';
import { dict, entry, type DictEntry } from './wire-out.js';

/** Values of the broker in the shape that the contract gives them. */

/** A fourcc without the spaces that its code has at the end. */
export const shownFormat = (format: string): string => format.trimEnd();

/** `a{sv}` of a layout. */
export function layoutDict(layout: GrantedLayout): WireDict {
  const { image, fdSizes } = layout;
  const common = [
    entry('size', 't', layout.size),
    entry('count', 'u', layout.count),
    entry('pool', 's', layout.pool),
    entry('cpu-access', 's', layout.cpuAccess),
  ];
  if (image === undefined) return common;
  const planes = image.planes.map(({ offset, pitch }) => [offset, pitch]);
  return dict(
    entry('format', 's', shownFormat(image.format)),
    entry('modifier', 't', image.modifier),
    entry('width', 'u', image.width),
    entry('height', 'u', image.height),
    entry('planes', 'a(tu)', planes),
    ...(fdSizes === undefined
      ? []
      : [entry('plane-fds', 'au', [...fdSizes.keys()]), entry('fd-sizes', 'at', fdSizes)]),
    ...common,
  );
}

/** Signature of the `value` of each kind of constraint that is not a limit of the table. */
const OTHER_SIGNATURES: Readonly<Record<Exclude<ConstraintKind, Limit>, string>> = {
  formats: 'at',
  modifiers: 'at',
  reach: 'as',
  total: 'u',
  count: 'u',
  spare: 'u',
  'count-min': 'u',
  'count-max': 'u',
  'max-buffers': 'u',
  width: 'u',
  height: 'u',
  size: 't',
};

const signatureOf = (kind: ConstraintKind): string =>
  isLimit(kind) ? LIMIT_TABLE[kind].type : OTHER_SIGNATURES[kind];

/** `a{sv}` of a constraint. */
export function constraintDict({ kind, value, origin }: Constraint): WireDict {
  return dict(
    entry('entry', 'i', origin.entry),
    entry('device', 's', origin.device),
    entry('constraint', 's', kind),
    entry('value', signatureOf(kind), value),
    entry('source', 's', origin.source),
  );
}

/** `aa{sv}` of constraints. */
export const constraintDicts = (constraints: readonly Constraint[]): WireValue =>
  constraints.map(constraintDict);

/** `a{sv}` of an explanation. */
export function explanationDict(explanation: Explanation): WireDict {
  const { feasible, layout, constraints, conflicts, isSmallest, leftOut, limits, suggestions } = explanation;
  const answer =
    layout === undefined
      ? []
      : [entry('layout', 'a{sv}', layoutDict(layout)), entry('pool', 's', layout.pool)];
  return dict(
    entry('feasible', 'b', feasible),
    ...answer,
    entry('constraints', 'aa{sv}', constraintDicts(constraints)),
    entry('conflicts', 'aa{sv}', constraintDicts(conflicts)),
    ...(isSmallest === undefined ? [] : [entry('smallest', 'b', isSmallest)]),
    ...(leftOut === undefined ? [] : [entry('left-out', 'as', leftOut)]),
    entry('limits', 'as', limits),
    entry('suggestions', 'as', suggestions),
  );
}

/** `a{sv}` of what the machine lacks against policy. */
export const shortfallDict = (shortfall: Shortfall): WireDict =>
  dict(
    entry('class', 's', shortfall.class),
    entry('asked', 't', shortfall.asked),
    entry('available', 't', shortfall.available),
    entry('text', 's', shortfall.text),
    ...(shortfall.mend === undefined ? [] : [entry('mend', 's', shortfall.mend)]),
  );

/** `a{sv}` of what stands behind a pool's handle. */
export const detailsDict = (details: ReadonlyMap<string, string | bigint | boolean>): WireDict =>
  [...details].map(([key, value]): DictEntry => {
    if (typeof value === 'string') return entry(key, 's', value);
    return entry(key, typeof value === 'bigint' ? 't' : 'b', value);
  });
