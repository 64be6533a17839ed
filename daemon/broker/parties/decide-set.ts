import type { StepAllowance } from '../../constraints/conflict.js';
import { decideIfFeasible, decideInSteps } from '../../constraints/decide.js';
import type { Constraint, Decision, Problem } from '../../constraints/constraint-types.js';
import { decideLinear } from '../linear-instead.js';
import { learnLists } from '../offered-tiles.js';
import type { Steps } from '../searches.js';
import type { Snapshot } from '../snapshot.js';
import { PARTY_LIMITS, type BufferSpec, type Member, type Selection } from './party-types.js';
import { isOpen, selections, selectionsWith } from './selections.js';
import { countOf, formatsOf, noDevice, poseSet, setRequest, type SetRequest } from './set-request.js';

type Feasible = Extract<Decision, { feasible: true }>;

/** A selection that fits. */
export interface SetDecision {
  readonly is: 'fit';
  readonly selection: Selection;
  readonly request: SetRequest;
  readonly problem: Problem;
  readonly decision: Feasible;
  readonly count: number;
}

/** The same without tiles; undefined where it has none, or must have. */
export function linearSet(fit: SetDecision): SetDecision | undefined {
  const decision = decideLinear(fit.problem, fit.decision);
  return decision && { ...fit, decision };
}

/** Why none does. */
export type NoDecision =
  | {
      readonly is: 'conflict';
      /** The smallest set of the preferred combination that cannot hold together. */
      readonly conflict: readonly Constraint[];
      /** False where the search was cut short. */
      readonly isSmallest: boolean;
      readonly constraints: readonly Constraint[];
      readonly request: SetRequest;
    }
  /** So many bytes are more than the party that began allows. */
  | { readonly is: 'too-large'; readonly bytes: bigint; readonly most: bigint }
  | { readonly is: 'no-format' }
  /** All that fit were given already. */
  | { readonly is: 'exhausted' }
  | { readonly is: 'too-many' };

export type SetOutcome = SetDecision | NoDecision;

const NO_CONFLICT = { conflict: [], isSmallest: true } as const;

/** Decides for a whole collection, under one snapshot. */
export class SetSearch {
  readonly #spec: BufferSpec;
  readonly #members: readonly Member[];
  readonly #snapshot: Snapshot;
  readonly #allowance: StepAllowance;
  readonly #combinations: Iterator<Selection, unknown>;
  /** How the last decision came to have its optional parties: what it was without each, and whom to consider then. */
  #added: { readonly without: SetDecision; readonly from: number }[] = [];
  #tried = 0;
  #fewer = 0;
  #hasGiven = false;
  #tooLarge: NoDecision | undefined;

  /** @param allowance for the search for reasons */
  constructor(spec: BufferSpec, members: readonly Member[], snapshot: Snapshot, allowance: StepAllowance) {
    this.#spec = spec;
    this.#members = members;
    this.#snapshot = snapshot;
    this.#allowance = allowance;
    this.#combinations = selections(members);
  }

  /**
   * The next combination that fits, or why there is none. Call it again when there was no memory for the one before.
   * @throws {BrokerError} InvalidRequest when no party names a device, and what is wrong with a device
   */
  *next(): Steps<SetOutcome> {
    for (;;) {
      const combination = this.#combinations.next();
      if (combination.done === true) return yield* this.#none();
      const selection = combination.value;
      if (this.#tried === PARTY_LIMITS.combinations) return { is: 'too-many' };
      this.#tried += 1;
      const fit = yield* this.#fit(selection);
      if (fit === undefined) continue;
      this.#hasGiven = true;
      this.#added = [];
      this.#fewer = 0;
      return yield* this.#withOptional(fit);
    }
  }

  /**
   * The same combination without the optional party that was added last, for when what was decided cannot be had; undefined
   * when there is none left.
   */
  *without(): Steps<SetDecision | undefined> {
    const [first] = this.#added;
    const last = this.#added.pop();
    if (first === undefined || last === undefined) return undefined;
    this.#fewer += 1;
    if (this.#fewer < PARTY_LIMITS.combinations) return yield* this.#withOptional(last.without, last.from);
    this.#added = [];
    return first.without;
  }

  /** Adds one optional party after the other, as far as all before it still fit. @param from place of the first */
  *#withOptional(must: SetDecision, from = 0): Steps<SetDecision> {
    let best = must;
    for (const [at, member] of this.#members.entries()) {
      if (at < from || !isOpen(member, this.#members, best.selection)) continue;
      let tried = 0;
      for (const selection of selectionsWith(member, this.#members, best.selection)) {
        if (tried === PARTY_LIMITS.combinations) break;
        tried += 1;
        const fit = yield* this.#fit(selection);
        if (fit === undefined) continue;
        this.#added.push({ without: best, from: at + 1 });
        best = fit;
        break;
      }
    }
    return best;
  }

  /** The first format in which a selection fits. */
  *#fit(selection: Selection): Steps<SetDecision | undefined> {
    const request = setRequest(this.#members, selection);
    if (request.entries.length === 0) return undefined;
    for (const format of formatsOf(this.#spec, request)) {
      yield;
      if (format !== undefined) yield* learnLists(request.entries, format);
      const problem = poseSet(this.#spec, request, format, this.#snapshot);
      const decision = decideIfFeasible(problem);
      if (decision === undefined) continue;
      const count = countOf(this.#spec, decision.constraints);
      const fit: SetDecision = { is: 'fit', selection, request, problem, decision, count };
      const { maxBytes: most } = this.#spec;
      const bytesOf = (set: SetDecision): bigint => set.decision.layout.size * BigInt(count);
      if (most === undefined || bytesOf(fit) <= most) return fit;
      const linear = linearSet(fit);
      if (linear !== undefined && bytesOf(linear) <= most) return linear;
      this.#tooLarge ??= { is: 'too-large', bytes: bytesOf(linear ?? fit), most };
    }
    return undefined;
  }

  *#none(): Steps<SetOutcome> {
    if (this.#hasGiven) return { is: 'exhausted' };
    if (this.#tooLarge !== undefined) return this.#tooLarge;
    const [preferred] = selections(this.#members);
    const request = setRequest(this.#members, preferred ?? new Map());
    if (request.entries.length === 0) throw noDevice();
    const formats = formatsOf(this.#spec, request);
    if (formats.length === 0) return { is: 'no-format' };
    const problem = poseSet(this.#spec, request, formats[0], this.#snapshot);
    const decision = yield* decideInSteps(problem, this.#allowance);
    const { constraints } = decision;
    const { conflict, isSmallest } = decision.feasible ? NO_CONFLICT : decision;
    return { is: 'conflict', conflict, isSmallest, constraints, request };
  }
}
