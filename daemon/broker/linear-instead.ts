import { BrokerError, type ErrorCode } from '../../dbus/errors.js';
import { decideIfFeasible } from '../constraints/decide.js';
import { LINEAR, type Problem } from '../constraints/constraint-types.js';
import { noFindings, type DecidedLayout } from './decisions.js';

type Feasible = DecidedLayout['decision'];

/** What a linear image may be spared, being smaller and in more memories. */
const SPARED: ReadonlySet<ErrorCode> = new Set([
  'PoolExhausted',
  'QuotaExceeded',
  'AccessDenied',
  'Internal',
]);

/** Whether there was no memory for a layout, be it that policy or a quota refuses it or that a heap failed. */
export const isWantOfMemory = (error: unknown): boolean =>
  error instanceof BrokerError && SPARED.has(error.code);

/**
 * The same without tiles, for where there is no memory for those that were decided on: a request that takes linear images
 * is not refused because something better is too large. Undefined where the decision is linear, or must not be.
 */
export function decideLinear(problem: Problem, { layout: { image } }: Feasible): Feasible | undefined {
  if (image === undefined || image.modifier === LINEAR) return undefined;
  const memories = problem.memories.map((memory) => ({
    ...memory,
    modifiers: memory.modifiers.filter((modifier) => modifier === LINEAR),
  }));
  return decideIfFeasible({ ...problem, memories });
}

/** The same of what was decided of a request, found out once. */
export function linearInstead(decided: DecidedLayout): DecidedLayout | undefined {
  const { findings, problem, decision } = decided;
  if (findings.linear === undefined) {
    const linear = decideLinear(problem, decision);
    findings.linear = linear === undefined ? null : { ...decided, decision: linear, findings: noFindings() };
  }
  return findings.linear ?? undefined;
}
