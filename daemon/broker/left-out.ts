import { decideIfFeasible } from '../constraints/decide.js';
import { tilingOf } from '../constraints/geometry/index.js';
import { isListed } from '../constraints/listed.js';
import { LINEAR, type Decision, type Problem } from '../constraints/constraint-types.js';
import { isClients, isList, MAX_TILES } from './offered-tiles.js';
import type { Steps } from './searches.js';
import { modifierText, subjectText, type ClassOf } from './constraint-text.js';

/** Modifiers that are explained; a client can list thousands. */
const MAX_EXPLAINED = 16;

/**
 * For a person: why the image has none of the other modifiers that the client lists, one line each. It pauses before each
 * decision that it tries.
 */
export function* leftOut(
  problem: Problem,
  { layout: { image }, constraints }: Extract<Decision, { feasible: true }>,
  classOf: ClassOf,
): Steps<readonly string[]> {
  const { content } = problem;
  if (image === undefined || !('format' in content)) return [];
  const { format } = content;
  const chosen = image.modifier;
  const lists = constraints.filter(isList);
  const others = [...new Set(lists.filter(isClients).flatMap(({ value }) => value))].filter(
    (modifier) => modifier !== chosen,
  );
  function* reason(modifier: bigint): Steps<string> {
    const refusing = lists.find(({ value }) => !isListed(value, modifier));
    if (refusing !== undefined) return `not among the ${refusing.kind}${subjectText(refusing, classOf)}`;
    const tiling = modifier === LINEAR ? undefined : tilingOf(format, modifier);
    if (tiling === undefined && modifier !== LINEAR)
      return `how it lays out ${format.fourcc.trimEnd()} is not known`;
    if (!problem.memories.some(({ modifiers }) => modifiers.includes(modifier))) {
      if (problem.memories.every(({ modifiers }) => modifiers.length <= MAX_TILES))
        return tiling?.isCompressed === true
          ? 'compressed, and not listed by every entry'
          : 'no memory offers it';
      return `only ${MAX_TILES} are looked at`;
    }
    yield;
    const only = { kind: 'modifiers', value: [modifier], origin: REQUEST } as const;
    return decideIfFeasible({ ...problem, constraints: [...problem.constraints, only] }) === undefined
      ? 'no layout of it, in memory that can hold it, meets what is asked'
      : `${modifierText(chosen)} is preferred`;
  }
  const told: string[] = [];
  for (const modifier of others.slice(0, MAX_EXPLAINED))
    told.push(`${modifierText(modifier)}: ${yield* reason(modifier)}`);
  const more = others.length - told.length;
  return more === 0 ? told : [...told, `and ${more} more`];
}

const REQUEST = { entry: -1, device: '', source: 'request' } as const;
