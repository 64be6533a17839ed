import type { Use } from '../../dbus/names.js';
import type { LimitFact } from './inventory.js';
import type { TriedFormat } from './v4l2-format-probe.js';

/** What was tried of one format of one queue. */
export interface FormatProbe extends TriedFormat {
  readonly use: Use;
  /** Its name in constraints/formats.ts. */
  readonly format: string;
}

type Finding =
  | {
      readonly limit: 'pitch-multiple' | 'pitch-exact' | 'height-multiple' | 'max-width' | 'max-height';
      readonly value: number;
    }
  | { readonly limit: 'size-multiple'; readonly value: bigint };

/** Trials as limits: equal findings are one limit, which names its formats unless it holds for all of the queue. */
export function limitsOfProbes(probes: readonly FormatProbe[]): readonly LimitFact[] {
  const uses = [...new Set(probes.map(({ use }) => use))];
  return uses.flatMap((use) => {
    const its = probes.filter((probe) => probe.use === use);
    const byFinding = new Map<string, { finding: Finding; formats: string[] }>();
    for (const probe of its) {
      for (const finding of findings(probe)) {
        const key = `${finding.limit}=${finding.value}`;
        const entry = byFinding.get(key) ?? { finding, formats: [] };
        entry.formats.push(probe.format);
        byFinding.set(key, entry);
      }
    }
    return [...byFinding.values()].map(({ finding, formats }) => ({
      ...finding,
      source: 'kernel:TRY_FMT',
      uses: [use],
      ...(formats.length < its.length && { formats }),
    }));
  });
}

function findings({
  pitch,
  padding: { rows, bytes } = { rows: 1, bytes: 1 },
  max,
}: TriedFormat): readonly Finding[] {
  return [
    ...(pitch ? [{ limit: pitch.exact ? 'pitch-exact' : 'pitch-multiple', value: pitch.step } as const] : []),
    ...(rows > 1 ? [{ limit: 'height-multiple', value: rows } as const] : []),
    ...(bytes > 1 ? [{ limit: 'size-multiple', value: BigInt(bytes) } as const] : []),
    ...(max
      ? [
          { limit: 'max-width', value: max.width } as const,
          { limit: 'max-height', value: max.height } as const,
        ]
      : []),
  ];
}
