import type { Decision, Problem } from '../constraints/constraint-types.js';
import type { Explanation, NewRequest } from './broker-types.js';

/** A request as the solver takes it. */
export interface Posed {
  readonly problem: Problem;
  /** Buffers that this call makes. */
  readonly count: number;
}

/** A request with what was decided of it. */
export interface Decided extends Posed {
  readonly decision: Decision;
  readonly findings: Findings;
}

/** One with the layout that was decided on. */
export interface DecidedLayout extends Decided {
  readonly decision: Extract<Decision, { feasible: true }>;
}

/** What is found out about a decision when it is first wanted. */
export interface Findings {
  /** What `Explain` says of it where nothing but the decision counts, by the handle of the pool. */
  readonly explanations: Map<string, Explanation>;
  /** Why the layout has none of the other modifiers that are listed. */
  leftOut?: readonly string[];
  /** The same request without tiles; null where there is no such decision. */
  linear?: DecidedLayout | null;
}

export const noFindings = (): Findings => ({ explanations: new Map() });

/**
 * What was decided under one snapshot, by request, so that the same request is decided once. It is remembered while the
 * caller keeps the request and the snapshot is in force.
 */
export class Decisions {
  readonly #cache = new WeakMap<NewRequest, Decided>();

  of(request: NewRequest): Decided | undefined {
    return this.#cache.get(request);
  }

  keep(request: NewRequest, posed: Posed, decision: Decision): Decided {
    const decided = { ...posed, decision, findings: noFindings() };
    this.#cache.set(request, decided);
    return decided;
  }
}
