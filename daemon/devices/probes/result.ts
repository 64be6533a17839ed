import type { Use } from '../../../dbus/names.js';
import type { ReachFact } from '../inventory.js';
import type { Outcome } from './outcome.js';

/** A fact of one device and one heap, without their names. */
export type ProbeResult = Pick<ReachFact, 'reachable' | 'source' | 'uses'>;

/** What was learned of one device and one heap. */
export interface ProbeResults {
  readonly results: readonly ProbeResult[];
  /** Why there is no more of them; with it the trial is worth repeating. */
  readonly inconclusive?: string;
}

/** What was tried for some of a device's uses. */
export interface Part {
  readonly uses: readonly Use[];
  readonly outcome: Outcome;
}

/**
 * One verdict on what works, whatever for, and one on each that does not; what all parts refuse in the same way is
 * refused for every use.
 */
export function resultsOf(parts: readonly Part[]): ProbeResults {
  const inconclusive = parts.flatMap(({ outcome }) => (outcome.is === 'unclear' ? [outcome.why] : []));
  const works = parts.flatMap(({ outcome }) => (outcome.is === 'accepted' ? [outcome.source] : []));
  const bySource = new Map<string, readonly Use[]>();
  for (const { uses, outcome } of parts) {
    if (outcome.is !== 'refused') continue;
    const refused = bySource.get(outcome.source) ?? [];
    bySource.set(outcome.source, [...new Set([...refused, ...uses])]);
  }
  const isGeneral = bySource.size === 1 && works.length === 0 && inconclusive.length === 0;
  return {
    results: [
      ...works.slice(0, 1).map((source) => ({ reachable: true, source })),
      ...[...bySource].map(([source, uses]) => ({
        reachable: false,
        source,
        ...(!isGeneral && { uses }),
      })),
    ],
    ...(inconclusive.length > 0 && { inconclusive: inconclusive.join('; ') }),
  };
}
