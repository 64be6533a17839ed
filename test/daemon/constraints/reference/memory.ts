/** Which memories would do, by the rules in ARCHITECTURE.md ("What a layout is") and without a look at the solver. */
import {
  LINEAR,
  type Constraint,
  type Memory,
  type Problem,
} from '../../../../daemon/constraints/constraint-types.js';
import { ofKind, said } from './said.js';
import { COMPRESSED, tileOf } from './tiles.js';

/** The limits that the memories themselves bring: each one is a constraint with the memory as its source. */
export function memoryConstraints(problem: Problem): readonly Constraint[] {
  return problem.memories.flatMap((memory): readonly Constraint[] => {
    const own = {
      origin: { entry: -1, device: '', source: `memory:${memory.handle}` },
      memory: memory.handle,
    };
    return [
      ...('format' in problem.content
        ? [{ kind: 'modifiers', value: memory.modifiers, ...own } as const]
        : []),
      ...(memory.contiguous ? [] : [{ kind: 'contiguous', value: false, ...own } as const]),
      ...(memory.protected ? [] : [{ kind: 'protected', value: false, ...own } as const]),
      { kind: 'address-bits', value: memory.addressBits, ...own },
    ];
  });
}

/** Participants who take unprotected memory only (`cpu`); a client's `false` asks for nothing. */
function takesUnprotectedOnly(constraints: readonly Constraint[]): boolean {
  return ofKind(constraints, 'protected').some((c) => !c.value && c.origin.source !== 'client');
}

/** Linear, and the tiles that some memory can hold and the format can have. */
export function laidOutIn(problem: Problem): readonly bigint[] {
  const known = laidOut.get(problem) ?? everyModifier(problem);
  laidOut.set(problem, known);
  return known;
}

/** Every part of a problem's constraints is asked about the same ones. */
const laidOut = new WeakMap<Problem, readonly bigint[]>();

function everyModifier({ content, memories }: Problem): readonly bigint[] {
  const offered = new Set(memories.flatMap(({ modifiers }) => modifiers));
  const isKnown = (modifier: bigint): boolean =>
    'format' in content && tileOf(content, modifier) !== undefined;
  return [LINEAR, ...[...offered].filter(isKnown)];
}

/** The modifiers that the image may have in this memory; empty when it does not do at all. */
export function modifiersIn(
  memory: Memory,
  problem: Problem,
  constraints: readonly Constraint[],
): readonly bigint[] {
  const needsContiguous = said(constraints, 'contiguous').includes(true);
  const needsProtected = said(constraints, 'protected').includes(true);
  const needsUnprotected = takesUnprotectedOnly(constraints);
  const does =
    said(constraints, 'reach').every((handles) => handles.includes(memory.handle)) &&
    !(needsContiguous && said(constraints, 'contiguous', memory.handle).includes(false)) &&
    !(needsProtected && said(constraints, 'protected', memory.handle).includes(false)) &&
    !(needsProtected && needsUnprotected) &&
    !(needsUnprotected && memory.protected) &&
    said(constraints, 'address-bits').every((below) =>
      said(constraints, 'address-bits', memory.handle).every((reaches) => reaches <= below),
    );
  if (!does) {
    return [];
  }
  if (!('format' in problem.content)) {
    return [LINEAR];
  }
  const sets = [
    ...said(constraints, 'formats'),
    ...said(constraints, 'modifiers'),
    ...said(constraints, 'modifiers', memory.handle),
  ];
  return laidOutIn(problem).filter((modifier) => sets.every((set) => set.includes(modifier)));
}

/** Contiguous memory after the rest when nobody needs it, protected memory after that, then in the order given. */
export function inOrderOfPreference(
  memories: readonly Memory[],
  constraints: readonly Constraint[],
): readonly Memory[] {
  const needsContiguous = said(constraints, 'contiguous').includes(true);
  const needsProtected = said(constraints, 'protected').includes(true);
  const isWasted = (memory: Memory): readonly boolean[] => [
    memory.protected && !needsProtected,
    memory.contiguous && !needsContiguous,
  ];
  const groups = [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ];
  return groups.flatMap((group) =>
    memories.filter((memory) => isWasted(memory).every((is, place) => is === group[place])),
  );
}

/**
 * The best of several modifiers in one memory: compression first, which contiguous memory has after plain tiles, then the
 * smallest, then the lowest; linear when there is nothing else.
 */
export function bestIn(memory: Memory, sizes: ReadonlyMap<bigint, bigint>): bigint | undefined {
  const inMemory = [...sizes].filter(([modifier]) => memory.modifiers.includes(modifier));
  const tiled = inMemory.filter(([modifier]) => modifier !== LINEAR);
  const plain = tiled.filter(([modifier]) => modifier !== COMPRESSED);
  const compressed = tiled.filter(([modifier]) => modifier === COMPRESSED);
  const inOrder = memory.contiguous ? [plain, compressed, inMemory] : [compressed, plain, inMemory];
  const among = inOrder.find((some) => some.length > 0) ?? [];
  const least = among.map(([, size]) => size).reduce((a, b) => (a < b ? a : b), 2n ** 64n);
  return among
    .filter(([, size]) => size === least)
    .map(([modifier]) => modifier)
    .reduce<bigint | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined);
}
