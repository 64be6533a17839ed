import { DmabrokerError } from '../../errors.js';
import type { DeviceInfo } from '../../model.js';
import { EXIT } from '../usage.js';
import type { Context, Verb } from '../verb.js';
import { modifiersText, valueText } from '../words.js';

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
  async run(context, args) {
    const [wanted] = args.operands;
    const broker = await context.connect();
    const all = await broker.devices();
    if (wanted === undefined) {
      list(context, all);
      return EXIT.done;
    }
    const device = all.find((each) =>
      [each.node, each.number, each.path, ...each.otherNodes].includes(wanted),
    );
    if (device === undefined) {
      throw new DmabrokerError(
        'UnknownDevice',
        `the broker knows no device '${wanted}'; dmabrokerctl devices lists them`,
      );
    }
    const classes = new Map((await broker.pools()).map((pool) => [pool.handle, pool.class]));
    describe(context, device, (handle) => `${handle} (${classes.get(handle) ?? 'gone'})`);
    return EXIT.done;
  },
};

function list({ json, out }: Context, all: readonly DeviceInfo[]): void {
  if (json) out.json(all);
  else {
    out.table(
      COLUMNS,
      all.map(({ node, number, driver, uses, name }) => [node, number, driver, uses.join(' '), name]),
    );
  }
}

function describe({ json, out }: Context, device: DeviceInfo, memory: (handle: string) => string): void {
  if (json) {
    out.json(device);
    return;
  }
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
      [{ title: 'FORMAT' }, { title: 'MODIFIERS', wraps: true }],
      device.formats.map(({ format, modifiers }) => [format, modifiersText(modifiers)]),
    );
  }
}
