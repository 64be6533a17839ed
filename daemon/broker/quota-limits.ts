import type { QuotaLimit } from '../ledger/quota.js';
import type { QuotaRules, PolicyValue } from '../policy/policy.js';

/** Policy's word on what one caller may hold, as the ledger counts it; whatever is refused first is named. */
export const quotaLimits = (rules: QuotaRules): readonly QuotaLimit[] => [
  { key: 'Bytes', subject: 'user', unit: 'bytes', ...rules.bytes },
  { key: 'Buffers', subject: 'user', unit: 'buffers', ...wide(rules.buffers) },
  { key: 'ClientBytes', subject: 'client', unit: 'bytes', ...rules.clientBytes },
  { key: 'ClientBuffers', subject: 'client', unit: 'buffers', ...wide(rules.clientBuffers) },
  { key: 'UnitBytes', subject: 'unit', unit: 'bytes', ...rules.unitBytes },
  { key: 'UnitBuffers', subject: 'unit', unit: 'buffers', ...wide(rules.unitBuffers) },
];

const wide = ({ value, source }: PolicyValue<number>): PolicyValue<bigint> => ({
  value: BigInt(value),
  source,
});
