import type { Broker } from '../../broker.js';
import type { ConstraintInfo, Explanation } from '../../model.js';
import { CONFLICT, constraintTable } from '../constraint-table.js';
import { decidingConstraints, type Aspect } from '../deciding.js';
import { toJson } from '../json.js';
import { memoryNames, type MemoryName } from '../memory-names.js';
import type { Output } from '../output.js';
import { POLICY, ROOT } from '../policy/offline.js';
import { PROFILE, replay } from '../policy/replay.js';
import { REQUEST_NOTES, REQUEST_OPTIONS, readRequest, type Request } from '../request-options.js';
import { EXIT, type ExitCode } from '../usage.js';
import type { Context, Verb } from '../verb.js';
import { layoutPairs } from '../value-text.js';

export const explain: Verb = {
  name: 'explain',
  summary: 'Show what allocate would decide, and every constraint behind it',
  options: [...REQUEST_OPTIONS, PROFILE, POLICY, ROOT],
  notes: [
    ...REQUEST_NOTES,
    'With --profile, it answers for a recorded machine, by the policy that --policy and --root name.',
    'Ends with 1 when allocate would refuse.',
  ],
  async run(context, args) {
    const request = readRequest(args);
    const file = args.text(PROFILE.name);
    if (file === undefined) return explainTo(context, await context.connect(), request);
    using replayed = await replay(file, context, args);
    context.warn(`This is ${replayed.provenance}.`);
    for (const warning of replayed.inventory.warnings) context.warn(warning);
    return await explainTo(context, replayed.broker, request);
  },
};

async function explainTo(
  { json, out }: Context,
  broker: Pick<Broker, 'explain' | 'pools'>,
  { devices, buffer }: Request,
): Promise<ExitCode> {
  const explanation = await broker.explain(devices, buffer);
  const { feasible, limits } = explanation;
  if (json) out.json(explanation);
  else show(out, explanation, decidingConstraints(explanation, buffer), await memoryNames(broker));
  return feasible && limits.length === 0 ? EXIT.done : EXIT.refused;
}

type Deciding = ReadonlyMap<ConstraintInfo, readonly Aspect[]>;

function show(out: Output, explanation: Explanation, deciding: Deciding, memory: MemoryName): void {
  const { layout, constraints, conflicts, limits, leftOut = [], suggestions } = explanation;
  if (layout === undefined) {
    out.line('It cannot be had: these cannot hold together.');
    out.line();
    constraintTable(out, conflicts, memory);
    if (suggestions.length > 0) out.line();
    for (const suggestion of suggestions) out.line(suggestion);
  } else {
    out.pairs(layoutPairs(layout, memory));
    for (const other of leftOut) out.line(`Left out: ${other}`);
    for (const limit of limits) out.line(`But allocate would refuse: ${limit}`);
  }
  out.line();
  const clashes = new Set(conflicts.map(identity));
  constraintTable(out, constraints, memory, (info) =>
    clashes.has(identity(info)) ? CONFLICT : (deciding.get(info) ?? []).join(' '),
  );
}

/** The broker names a constraint twice when it clashes: among all, and in the conflict. */
const identity = (info: ConstraintInfo): string => JSON.stringify(toJson(info));
