/** Which memories would do, by the rules in ARCHITECTURE.md ("What a layout is") and without a look at the solver. */
import {
  LINEAR,
  type Constraint,
  type Memory,
  type Problem,
} from '../../../../daemon/constraints/constraint-types.js';
import { ofKind, said } from './said.js';

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
  const candidates = new Set([LINEAR, ...sets.flat()]);
  return [...candidates].filter((modifier) => sets.every((set) => set.includes(modifier)));
}

/** Contiguous and protected memory after the rest when nobody needs it, then in the order given. */
export function inOrderOfPreference(
  memories: readonly Memory[],
  constraints: readonly Constraint[],
): readonly Memory[] {
  const needsContiguous = said(constraints, 'contiguous').includes(true);
  const needsProtected = said(constraints, 'protected').includes(true);
  const scarce = (memory: Memory): boolean =>
    (memory.contiguous && !needsContiguous) || (memory.protected && !needsProtected);
  return [...memories.filter((memory) => !scarce(memory)), ...memories.filter(scarce)];
}
