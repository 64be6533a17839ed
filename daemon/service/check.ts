import type { Broker, DeviceView, PoolView, Totals } from '../broker/broker-types.js';
import { valueText } from '../broker/constraint-text.js';
import { amountText } from '../sizing/amount.js';
import type { ReachFact } from '../devices/inventory.js';

/**
 * What the daemon would do on this machine, as text for its administrator (`--check`).
 * @param probes what trial imports showed
 */
export function checkReport(broker: Broker, probes: readonly ReachFact[]): string {
  const totals = broker.totals();
  const pools = broker.pools();
  return [
    'Policy files:',
    ...listOf(totals.policyFiles, 'none; the built-in policy is in force'),
    'Pools, best first:',
    ...listOf(
      pools.map((pool) => poolText(pool, broker)),
      'none: nothing can be allocated',
    ),
    'Devices:',
    ...listOf(
      broker.devices().map((view) => deviceText(view, pools, probes)),
      'none',
    ),
    ...problems(totals),
    '',
  ].join('\n');
}

const listOf = (items: readonly string[], none: string): readonly string[] =>
  (items.length === 0 ? [none] : items).map((item) => `  ${item}`);

const poolText = ({ handle, class: memoryClass, limit }: PoolView, broker: Broker): string =>
  `${memoryClass} memory from ${String(broker.reveal(handle).get('heap'))}, at most ${amountText(limit)}`;

function deviceText(
  { device, constraints, pools }: DeviceView,
  all: readonly PoolView[],
  probes: readonly ReachFact[],
): string {
  const classes = pools.flatMap((handle) => all.find((pool) => pool.handle === handle)?.class ?? []);
  const reaches =
    classes.length === 0 ? 'reaches no memory' : `reaches ${[...new Set(classes)].join(', ')} memory`;
  const classOf = (handle: string): string => all.find((pool) => pool.handle === handle)?.class ?? 'gone';
  const limits = constraints.map(
    (constraint) => `${constraint.kind} ${valueText(constraint, classOf)} (${constraint.origin.source})`,
  );
  const tried = probes.filter((probe) => probe.device === device.node).map(probeText);
  const details = [...tried, ...limits].map((text) => `    ${text}`);
  return [`${device.node}: ${device.name}; ${reaches}`, ...details].join('\n');
}

function probeText({ heap, reachable, uses, source }: ReachFact): string {
  const scope = uses === undefined ? '' : ` for ${uses.join(', ')}`;
  return `${reachable ? 'takes' : 'refuses'} memory from ${heap}${scope} (${source})`;
}

function problems({ shortfalls, warnings }: Totals): readonly string[] {
  const texts = [...shortfalls.map(({ text }) => text), ...warnings];
  return texts.length === 0 ? [] : ['Warnings:', ...listOf(texts, '')];
}
