import type { Broker } from '../../broker.js';
import { DmabrokerError } from '../../errors.js';
import { complete, type Names } from '../complete.js';
import { poolName } from '../memory-names.js';
import { EXIT } from '../usage.js';
import type { Context, Verb } from '../verb.js';
import { shortId } from '../value-text.js';

/** Milliseconds that a person who pressed a key waits for a name. */
const NAME_TIMEOUT_MS = 1000;

/** What the shells' completion scripts ask. No verb for people, and in no help. */
export const completing = (verbs: readonly Verb[]): Verb => ({
  name: 'complete',
  summary: 'Print what may stand for a word, after the words before it',
  options: [{ name: 'word', value: 'WORD', text: 'the word so far' }],
  takesCommand: true,
  async run(context, args) {
    const { rest = [] } = args;
    const candidates = await complete(rest, args.text('word') ?? '', verbs, namesOf(context, busOf(rest)));
    for (const candidate of candidates) context.out.line(candidate);
    return EXIT.done;
  },
});

/** The bus that the words on the command line name. */
function busOf(words: readonly string[]): string | undefined {
  const at = words.lastIndexOf('--bus');
  const joined = words.findLast((word) => word.startsWith('--bus='));
  return at < 0 ? joined?.slice('--bus='.length) : words[at + 1];
}

/** Asks the broker, and is content without an answer: a person goes on typing. */
function namesOf({ connect }: Context, bus: string | undefined): Names {
  const ask = async (of: (broker: Broker) => Promise<readonly string[]>): Promise<readonly string[]> => {
    try {
      return await of(await connect({ ...(bus !== undefined && { bus }), timeout: NAME_TIMEOUT_MS }));
    } catch (error) {
      if (error instanceof DmabrokerError) return [];
      throw error;
    }
  };
  return {
    pools: () =>
      ask(async (broker) => {
        const pools = await broker.pools();
        return [...new Set(pools.flatMap((pool) => [poolName(pool, pools), pool.handle]))];
      }),
    allocations: () => ask(async (broker) => (await broker.allocations()).map(({ path }) => shortId(path))),
    devices: () =>
      ask(async (broker) =>
        (await broker.devices()).flatMap(({ node, otherNodes }) => [node, ...otherNodes]),
      ),
  };
}
