import { once } from 'node:events';

import type { BrokerObject } from '../../model.js';
import { bytesText } from '../numbers.js';
import { toJson } from '../json.js';
import { printable } from '../table.js';
import { EXIT } from '../usage.js';
import type { Context, Verb } from '../verb.js';
import { contentText, idOf, shortId } from '../value-text.js';

export const monitor: Verb = {
  name: 'monitor',
  summary: 'Print what changes at the broker as it happens, until Ctrl-C',
  notes: [
    'With --json, every change is one line: its time, change (added, changed, removed), and the object.',
  ],
  async run(context) {
    const broker = await context.connect();
    const ended = once(broker, 'closed', { signal: context.stop });
    await using watch = await broker.watch();
    watch.on('added', (object) => {
      report(context, 'added', object);
    });
    watch.on('changed', (object, before) => {
      report(context, 'changed', object, before);
    });
    watch.on('removed', (object) => {
      report(context, 'removed', object);
    });
    if (!context.json) context.warn('Watching the broker. Ctrl-C ends it.');
    try {
      const [error] = (await ended) as readonly unknown[];
      throw error;
    } catch (error) {
      if (context.stop.aborted) return EXIT.done;
      throw error;
    }
  },
};

const MARKS = { added: '+', changed: '~', removed: '-' } as const;
const COLOURS = { added: 'green', changed: 'yellow', removed: 'red' } as const;
type Change = keyof typeof MARKS;

function report({ json, out }: Context, change: Change, object: BrokerObject, before?: BrokerObject): void {
  const time = new Date();
  if (json) {
    out.jsonLine({ time, change, object });
    return;
  }
  const clock = time.toTimeString().slice(0, 'HH:MM:SS'.length);
  const mark = out.colour(COLOURS[change], MARKS[change]);
  const what = before === undefined ? summaryOf(object) : differenceOf(object, before);
  const who = [object.kind, nameOf(object)].filter((word) => word !== '').join(' ');
  // Only what comes from elsewhere is made safe: the mark may have a colour.
  out.lines([`${clock} ${mark} ${printable(`${who}  ${what}`.trimEnd())}`]);
}

function nameOf(object: BrokerObject): string {
  if (object.kind === 'device') return object.node;
  if (object.kind === 'allocation') return shortId(object.path);
  return object.kind === 'broker' ? '' : idOf(object.path);
}

function summaryOf(object: BrokerObject): string {
  switch (object.kind) {
    case 'device':
      return `${object.driver} ${object.name}`;
    case 'pool':
      return `${object.class}, at most ${bytesText(object.limit)}`;
    case 'allocation':
      return `${object.layout.count} × ${contentText(object.layout)} of user ${object.user} ${object.label}`;
    case 'broker':
      return `version ${object.version}`;
  }
}

/** Properties that are counted in bytes. */
const BYTES: ReadonlySet<string> = new Set(['live', 'warm', 'limit', 'liveBytes']);

/** Every property that is another now, with both values. */
function differenceOf(object: BrokerObject, before: BrokerObject): string {
  const old = new Map<string, unknown>(Object.entries(before));
  return Object.entries(object)
    .map(([key, is]: readonly [string, unknown]) => ({ key, was: old.get(key), is }))
    .filter(({ was, is }) => valueText(was) !== valueText(is))
    .map(({ key, was, is }) => `${key} ${changeText(key, was, is)}`)
    .join(', ');
}

/** A number of bytes in short, unless the change is too small to be seen then; plain words as they are; the rest as JSON. */
function changeText(key: string, was: unknown, is: unknown): string {
  if (BYTES.has(key) && typeof was === 'bigint' && typeof is === 'bigint') {
    const [from, to] = [bytesText(was), bytesText(is)];
    if (from !== to) return `${from} → ${to}`;
  }
  return `${valueText(was)} → ${valueText(is)}`;
}

const valueText = (value: unknown): string => {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(toJson(value));
};
