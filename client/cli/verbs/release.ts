import { ROOT_PATH } from '../../../dbus/names.js';
import { EXIT, UsageError } from '../usage.js';
import type { Verb } from '../verb.js';
import { idOf } from '../words.js';

export const release: Verb = {
  name: 'release',
  summary: 'End an allocation of anybody, which takes an administrator',
  operands: 'ALLOCATION',
  notes: ['ALLOCATION is an object path or its last part, as dmabrokerctl allocations shows it.'],
  async run({ connect, json, out }, args) {
    const [wanted = ''] = args.operands;
    const path = wanted.startsWith('/') ? wanted : `${ROOT_PATH}/allocation/${wanted}`;
    if (!OBJECT_PATH.test(path)) throw new UsageError(`not an allocation: '${wanted}'`);
    await (await connect()).release(path);
    if (json) out.json({ released: path });
    else out.line(`Released ${idOf(path)}.`);
    return EXIT.done;
  },
};

const OBJECT_PATH = /^(\/[A-Za-z0-9_]+)+$/;
