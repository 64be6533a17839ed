import { DmabrokerError } from '../../errors.js';
import type { Broker } from '../../broker.js';
import { nearest } from '../../../daemon/policy/suggest.js';
import { ON_PROFILE } from '../../../daemon/devices/provenance.js';
import type { DeviceInfo } from '../../model.js';
import { memoryNames, type MemoryName } from '../memory-names.js';
import type { Output } from '../output.js';
import { POLICY, ROOT } from '../policy/offline.js';
import { PROFILE, replay } from '../policy/replay.js';
import { EXIT, type ExitCode } from '../usage.js';
import type { Context, Verb } from '../verb.js';
import { modifiersText, valueText } from '../value-text.js';

const COLUMNS = [
  { title: 'NODE' },
  { title: 'NUMBER' },
  { title: 'DRIVER' },
  { title: 'USES', wraps: true },
  { title: 'NAME', wraps: true },
];

export const devices: Verb = {
  name: 'devices',
  summary: 'List the devices that the broker knows, or describe one with its formats and limits',
  operands: '[DEVICE]',
  options: [PROFILE, POLICY, ROOT],
  async run(context, args) {
    const file = args.text(PROFILE.name);
    if (file === undefined) {
      const broker = await context.connect();
      const code = await showDevices(context, broker, args.operands[0]);
      const provenances = context.json ? [] : await provenancesAt(broker);
      if (provenances.length > 0) context.out.line();
      for (const text of provenances) context.out.line(text);
      return code;
    }
    using replayed = await replay(file, context, args);
    context.warn(`This is ${replayed.provenance}.`);
    for (const warning of replayed.inventory.warnings) context.warn(warning);
    return await showDevices(context, replayed.broker, args.operands[0]);
  },
};

async function showDevices(
  context: Context,
  broker: Pick<Broker, 'devices' | 'pools'>,
  wanted: string | undefined,
): Promise<ExitCode> {
  const all = await broker.devices();
  if (wanted === undefined) {
    list(context, all);
    return EXIT.done;
  }
  const device = all.find((each) => [each.node, each.number, each.path, ...each.otherNodes].includes(wanted));
  if (device === undefined)
    throw new DmabrokerError(
      'UnknownDevice',
      `the broker knows no device '${wanted}'${deviceMeant(wanted, all)}`,
    );
  if (context.json) context.out.json(device);
  else describe(context.out, device, await memoryNames(broker));
  return EXIT.done;
}

/** `card0` is meant to be `/dev/dri/card0`; whatever else, what there is. */
function deviceMeant(wanted: string, all: readonly DeviceInfo[]): string {
  const nodes = all.flatMap(({ node, otherNodes }) => [node, ...otherNodes]);
  const meant = nodes.find((node) => node.endsWith(`/${wanted}`)) ?? nearest(wanted, nodes);
  return `${meant === undefined ? '' : `, did you mean ${meant}?`}; there is ${nodes.join(', ')}`;
}

/** What a daemon on a profile says of it, among its warnings. */
const provenancesAt = async (broker: Broker): Promise<readonly string[]> =>
  (await broker.status()).warnings.filter((text) => text.startsWith(ON_PROFILE));

function list({ json, out }: Context, all: readonly DeviceInfo[]): void {
  if (json) out.json(all);
  else {
    out.table(
      COLUMNS,
      all.map(({ node, number, driver, uses, name }) => [node, number, driver, uses.join(' '), name]),
    );
  }
}

function describe(out: Output, device: DeviceInfo, memory: MemoryName): void {
  out.pairs([
    ['node', [device.node]],
    ['other nodes', device.otherNodes],
    ['number', [device.number]],
    ['name', [device.name]],
    ['driver', [device.driver]],
    ['uses', [device.uses.join(' ')]],
    ['pools', device.pools.map(memory)],
  ]);
  if (device.constraints.length > 0) {
    out.line();
    out.table(
      [{ title: 'LIMIT' }, { title: 'VALUE', wraps: true }, { title: 'SOURCE', wraps: true }],
      device.constraints.map((limit) => [limit.constraint, valueText(limit, memory), limit.source]),
    );
  }
  if (device.formats.length > 0) {
    out.line();
    out.table(
      [
        { title: 'FORMATS', wraps: true },
        { title: 'MODIFIERS', wraps: true },
      ],
      formatRows(device),
    );
  }
}

/** Formats with the same modifiers share a row. */
function formatRows({ formats }: DeviceInfo): readonly (readonly string[])[] {
  const rows = new Map<string, string[]>();
  for (const { format, modifiers } of formats) {
    const text = modifiersText(modifiers);
    rows.set(text, [...(rows.get(text) ?? []), format]);
  }
  return [...rows].map(([modifiers, names]) => [names.join(' '), modifiers]);
}
