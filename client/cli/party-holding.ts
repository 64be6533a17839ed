import type { Broker } from '../broker.js';
import type { PartyInfo } from '../negotiation.js';
import type { Party } from '../party.js';
import type { PartyBuffers } from '../party-buffers.js';
import type { Arguments } from './arguments.js';
import { readHold, runCommand, untilEnough } from './holding.js';
import { memoryNames } from './memory-names.js';
import { awaitBuffers } from './party-waiting.js';
import { layoutPairs } from './value-text.js';
import { EXIT } from './usage.js';
import type { Context, Verb } from './verb.js';

/**
 * Waits for a party's buffers, and holds them as the arguments say: a command uses them, or they are shown, and those of
 * every later generation after them.
 * @param show adds to what is said of buffers
 */
export async function holdBuffers(
  context: Context,
  args: Arguments,
  broker: Broker,
  party: Party,
  show: () => Promise<readonly PartyInfo[] | undefined> = () => Promise.resolve(undefined),
): ReturnType<Verb['run']> {
  const seconds = readHold(args);
  let held = await awaitBuffers(party, context);
  if (held === undefined) return EXIT.done;
  let ending = false;
  let following = Promise.resolve();
  const next = async (): Promise<void> => {
    if (ending || held === undefined || party.generation <= held.generation) return;
    const later = await party.buffers();
    const before = held;
    held = later;
    await before.release();
    if (isEnding()) await later.release();
    else await tell(context, broker, later, await show());
  };
  /** One renewal after the other. */
  const follow = (): void => {
    following = following.then(next).catch((error: unknown) => {
      if (!isEnding()) context.warn(error instanceof Error ? error.message : String(error));
    });
  };
  const isEnding = (): boolean => ending;
  try {
    if (args.rest !== undefined) return { command: await runCommand(args.rest, held, context.env) };
    party.on('changed', (state) => {
      if (state === 'over')
        context.warn('The broker has ended this party, or was restarted: the buffers still work.');
    });
    await tell(context, broker, held, await show());
    party.on('renewed', follow);
    // One that came before is told of no more.
    follow();
    await untilEnough(context, broker, seconds);
    return EXIT.done;
  } finally {
    party.removeAllListeners();
    ending = true;
    await held.release();
  }
}

async function tell(
  { json, out }: Context,
  broker: Broker,
  { generation, layout }: PartyBuffers,
  parties: readonly PartyInfo[] | undefined,
): Promise<void> {
  if (json) {
    out.jsonLine({ event: 'buffers', generation, layout, ...(parties !== undefined && { parties }) });
    return;
  }
  out.pairs([['generation', [String(generation)]], ...layoutPairs(layout, await memoryNames(broker))]);
  if (parties === undefined) return;
  out.line();
  out.table(
    [
      { title: 'PARTY', align: 'right' },
      { title: 'LABEL' },
      { title: 'STATE' },
      { title: 'CHOICE', align: 'right' },
      { title: 'HOLDS', align: 'right' },
      { title: 'UNIT' },
    ],
    parties.map(({ party, label, state, alternative, buffers, unit = '' }) => [
      String(party),
      label,
      state,
      alternative < 0 ? '' : String(alternative),
      String(buffers),
      unit,
    ]),
  );
}
