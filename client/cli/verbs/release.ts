import type { Broker } from '../../broker.js';
import { DmabrokerError } from '../../errors.js';
import { EXIT, UsageError } from '../usage.js';
import type { Verb } from '../verb.js';
import { idOf, shortId } from '../value-text.js';

export const release: Verb = {
  name: 'release',
  summary: 'End an allocation of anybody, which takes an administrator',
  operands: 'ALLOCATION',
  notes: [
    'ALLOCATION is an object path, or the beginning of its last part, as dmabrokerctl allocations shows it.',
  ],
  async run({ connect, json, out }, { operands: [wanted = ''] }) {
    if (!PATH_OR_PART.test(wanted)) throw new UsageError(`not an allocation: '${wanted}'`);
    const broker = await connect();
    const path = wanted.startsWith('/') ? wanted : await findAllocation(broker, wanted);
    await broker.release(path);
    if (json) out.json({ released: path });
    else out.line(`Released ${shortId(path)}.`);
    return EXIT.done;
  },
};

/** An object path, or a part of one. */
const PATH_OR_PART = /^((\/[A-Za-z0-9_]+)+|[A-Za-z0-9_]+)$/;

async function findAllocation(broker: Broker, beginning: string): Promise<string> {
  const matching = async (of: 'own' | 'others'): Promise<readonly string[]> =>
    (await broker.allocations(of)).map(({ path }) => path).filter((each) => idOf(each).startsWith(beginning));
  const own = await matching('own');
  const [path, another] = own.length > 0 ? own : await matching('others');
  if (path !== undefined && another === undefined) return path;
  const why = path === undefined ? 'no allocation begins' : 'several allocations begin';
  throw new DmabrokerError(
    'UnknownAllocation',
    `${why} with '${beginning}'; dmabrokerctl allocations lists them`,
  );
}
