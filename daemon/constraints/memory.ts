import type { Limits } from './limits.js';
import { isTaken, type Option } from './options.js';
import type { Constraint, Memory } from './constraint-types.js';

/** A memory's properties as constraints, with the memory as their source. Only what it cannot do limits anything. */
export function memoryConstraints(memory: Memory): readonly Constraint[] {
  const { handle } = memory;
  const origin = { entry: -1, device: '', source: `memory:${handle}` };
  return [
    { kind: 'modifiers', value: memory.modifiers, origin, memory: handle },
    { kind: 'address-bits', value: memory.addressBits, origin, memory: handle },
    ...(memory.contiguous ? [] : [{ kind: 'contiguous', value: false, origin, memory: handle } as const]),
    ...(memory.protected ? [] : [{ kind: 'protected', value: false, origin, memory: handle } as const]),
  ];
}

/** Whether a buffer with these limits can come from the memory, whatever lies in it. */
export function memoryServes(memory: Memory, limits: Limits): boolean {
  const own = limits.memories.get(memory.handle);
  if (limits.reach !== undefined && !limits.reach.includes(memory.handle)) return false;
  if (limits.contiguous && own?.scattered === true) return false;
  if (limits.protected && own?.unprotected === true) return false;
  // Whatever a memory is like, it is not both what one participant needs and what another cannot touch.
  if (limits.unprotected && (limits.protected || memory.protected)) return false;
  return (own?.addressBits ?? 0) <= limits.addressBits;
}

/** Whether every participant takes an option, and the memory can lay it out. */
export const offers = (memory: Memory, option: Option, limits: Limits): boolean =>
  isTaken(option, limits) &&
  (limits.memories.get(memory.handle)?.modifiers?.includes(option.modifier) ?? true);

/** Best first: contiguous and protected memory is scarce and comes last where no device needs it; then the given order. */
export function byPreference(memories: readonly Memory[], limits: Limits): readonly Memory[] {
  const cost = (memory: Memory): number =>
    (memory.protected && !limits.protected ? 2 : 0) + (memory.contiguous && !limits.contiguous ? 1 : 0);
  return memories.toSorted((a, b) => cost(a) - cost(b));
}
