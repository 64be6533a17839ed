import type { ConstraintInfo, Explanation } from '../../model.js';
import { decidingConstraints, type Aspect } from '../deciding.js';
import { REQUEST_NOTES, REQUEST_OPTIONS, readRequest } from '../request-options.js';
import { EXIT } from '../usage.js';
import type { Context, Verb } from '../verb.js';
import { layoutPairs, valueText } from '../words.js';

export const explain: Verb = {
  name: 'explain',
  summary: 'Show what allocate would decide, and every constraint behind it',
  options: REQUEST_OPTIONS,
  notes: [...REQUEST_NOTES, 'Ends with 1 when allocate would refuse.'],
  async run(context, args) {
    const { devices, buffer } = readRequest(args);
    const broker = await context.connect();
    const explanation = await broker.explain(devices, buffer);
    const { feasible, limits } = explanation;
    if (context.json) context.out.json(explanation);
    else {
      const classes = new Map((await broker.pools()).map((pool) => [pool.handle, pool.class]));
      const memory = (handle: string): string => `${handle} (${classes.get(handle) ?? 'gone'})`;
      show(context, explanation, decidingConstraints(explanation, buffer), memory);
    }
    return feasible && limits.length === 0 ? EXIT.done : EXIT.refused;
  },
};

type Deciding = ReadonlyMap<ConstraintInfo, readonly Aspect[]>;

function show(
  { out }: Context,
  explanation: Explanation,
  deciding: Deciding,
  memory: (handle: string) => string,
): void {
  const { layout, pool, constraints, conflicts, limits, suggestions } = explanation;
  if (layout === undefined) {
    out.line(out.colour('red', 'It cannot be had: these cannot hold together.'));
    out.line();
    constraintTable(out, conflicts, memory, () => '');
    if (suggestions.length > 0) out.line();
    for (const suggestion of suggestions) out.line(suggestion);
  } else {
    out.pairs([...layoutPairs(layout), ['pool', [memory(pool ?? layout.pool)]]]);
    for (const limit of limits) out.line(out.colour('yellow', `But allocate would refuse: ${limit}`));
  }
  out.line();
  const clashes = new Set(conflicts.map(identity));
  constraintTable(out, constraints, memory, (info) =>
    clashes.has(identity(info)) ? 'conflict' : (deciding.get(info) ?? []).join(' '),
  );
}

/** The broker names a constraint twice when it clashes: among all, and in the conflict. */
const identity = ({ entry, device, constraint, source }: ConstraintInfo): string =>
  JSON.stringify([entry, device, constraint, source]);

function constraintTable(
  out: Context['out'],
  constraints: readonly ConstraintInfo[],
  memory: (handle: string) => string,
  mark: (info: ConstraintInfo) => string,
): void {
  const marks = constraints.map(mark);
  const marked = marks.some((text) => text !== '');
  out.table(
    [
      { title: 'CONSTRAINT' },
      { title: 'VALUE', wraps: true },
      { title: 'DEVICE' },
      { title: 'SOURCE', wraps: true },
      ...(marked ? [{ title: 'DECIDES' }] : []),
    ],
    constraints.map((info, index) => [
      info.constraint,
      valueText(info, memory),
      info.entry < 0 ? '' : `${info.entry}: ${info.device}`,
      info.source,
      ...(marked ? [marks[index] ?? ''] : []),
    ]),
    (text, row) => {
      if ((marks[row] ?? '') === '') return text;
      return out.colour(marks[row] === 'conflict' ? 'red' : 'green', text);
    },
  );
}
