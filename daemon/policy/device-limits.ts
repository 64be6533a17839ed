import { ALL_LIMITS, limitRow, LIMIT_TABLE, type Limit, type PolicyLimit } from '../../dbus/limits.js';
import type { RuleLimit } from './policy.js';
import { bytes32, bytes64, count, perMacroblock, wholeNumber, yesOrNo } from './value-types.js';
import type { ValueType } from './value-types.js';

/** What a limit holds for, and where it stands. */
export type LimitScope = Pick<RuleLimit, 'source' | 'uses' | 'formats'>;

/** Makes a limit of a valid value; none of a `no`, which asks for nothing. */
export type LimitReader = (text: string, scope: LimitScope) => RuleLimit | undefined;

/** A key of `[Device …]` that is a limit. */
export interface LimitKey {
  readonly type: ValueType<unknown>;
  readonly doc: string;
  readonly aliases: readonly string[];
  readonly limit: LimitReader;
}

/** The keys of `[Device …]` that are limits of a participant, in the order of the table of limits. */
export const DEVICE_LIMITS: Readonly<Record<string, LimitKey>> = Object.fromEntries(
  ALL_LIMITS.filter(isOfPolicy).map((limit) => [LIMIT_TABLE[limit].policyKey, limitKey(limit)]),
);

function isOfPolicy(limit: Limit): limit is PolicyLimit {
  return limitRow(limit).policyKey !== undefined;
}

function limitKey(limit: PolicyLimit): LimitKey {
  const { doc, aliases } = LIMIT_TABLE[limit];
  const common = { doc: `${doc.charAt(0).toUpperCase()}${doc.slice(1)}.`, aliases };
  const type = valueType(limit);
  if (limitRow(limit).perMacroblock !== true) {
    return { ...common, type, limit: (text, scope) => ruleLimit(limit, read(type, text), scope) };
  }
  const scaled = perMacroblock(type);
  return {
    ...common,
    type: scaled,
    limit: (text, scope) => {
      const { value, ...per } = read(scaled, text) ?? {};
      return ruleLimit(limit, value, { ...scope, ...per });
    },
  };
}

const read = <T>(type: ValueType<T>, text: string): T | undefined => {
  const parsed = type.parse(text);
  return parsed.ok ? parsed.value : undefined;
};

const ruleLimit = (limit: PolicyLimit, value: unknown, scope: LimitScope): RuleLimit | undefined =>
  value === undefined || value === false ? undefined : ({ limit, value, ...scope } as RuleLimit);

function valueType(limit: PolicyLimit): ValueType<unknown> {
  const row = limitRow(limit);
  if (row.type === 'b') return yesOrNo;
  if (row.type === 't') return bytes64;
  if (row.most !== undefined) return wholeNumber(1, row.most);
  return row.unit === 'bytes' ? bytes32 : count;
}
