import { once } from 'node:events';

import type { BrokerObject } from '../../model.js';
import { bytesText } from '../numbers.js';
import { toJson } from '../json.js';
import { EXIT } from '../usage.js';
import type { Context, Verb } from '../verb.js';
import { contentText, idOf, shortId } from '../words.js';

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
  out.line(`${clock} ${mark} ${object.kind} ${nameOf(object)}  ${what}`.trimEnd());
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

/** Every property that is another now, with both values as JSON has them. */
function differenceOf(object: BrokerObject, before: BrokerObject): string {
  const old = new Map(Object.entries(before));
  return Object.entries(object)
    .map(([key, value]) => [key, JSON.stringify(toJson(old.get(key))), JSON.stringify(toJson(value))])
    .filter(([, was, is]) => was !== is)
    .map(([key = '', was = '', is = '']) => `${key} ${was} → ${is}`)
    .join(', ');
}
