import type { Party } from '../../party.js';
import { COMMAND_NOTE, HOLD, readHold } from '../holding.js';
import { holdBuffers } from '../party-holding.js';
import {
  COLLECTION_OPTIONS,
  DEADLINE,
  INVITE,
  PARTY_NOTES,
  PARTY_OPTIONS,
  readBounds,
  readCollection,
  readInvited,
  readNeeds,
  type Invited,
} from '../party-options.js';
import type { Context, Verb } from '../verb.js';

export const negotiate: Verb = {
  name: 'negotiate',
  summary: 'Have several programs agree on one set of buffers, and hold them',
  takesCommand: true,
  options: [...COLLECTION_OPTIONS, ...PARTY_OPTIONS, INVITE, DEADLINE, HOLD],
  notes: [
    'It prints a token for each --invite; another program, or dmabrokerctl join TOKEN, takes part with it.',
    ...PARTY_NOTES,
    COMMAND_NOTE,
  ],
  async run(context, args) {
    const [buffer, bounds, invited] = [readCollection(args), readBounds(args), readInvited(args)];
    const { alternatives, needs } = readNeeds(args);
    readHold(args);
    const broker = await context.connect();
    await using party = await broker.negotiate(buffer, bounds);
    // Before its needs are said: with no other party, the decision would be made.
    const tokens = await invite(party, invited);
    await party.constrain(alternatives, needs);
    tell(context, tokens, bounds.deadline);
    return await holdBuffers(context, args, broker, party, async () => (await party.explain()).parties);
  },
};

interface Token extends Invited {
  readonly token: string;
}

async function invite(party: Party, invited: readonly Invited[]): Promise<readonly Token[]> {
  const tokens: Token[] = [];
  for (const each of invited) tokens.push({ token: await party.invite(each), ...each });
  return tokens;
}

function tell({ json, out, warn }: Context, tokens: readonly Token[], deadlineMs: number): void {
  if (json) {
    out.jsonLine({ event: 'invited', tokens });
    return;
  }
  out.table(
    [{ title: 'TOKEN' }, { title: 'PART' }, { title: 'LABEL' }],
    tokens.map(({ token, part, label }) => [token, part, label]),
  );
  out.line();
  const within = tokens.every(({ part }) => part === 'late') ? '' : ` within ${deadlineMs / 1000} seconds`;
  const late = tokens.some(({ part }) => part === 'late') && within !== '' ? ' (a late one at any time)' : '';
  warn(`Use each token${within}${late}, as in: dmabrokerctl join TOKEN --device cpu:read`);
}
