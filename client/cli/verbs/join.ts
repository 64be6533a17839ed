import { COMMAND_NOTE, HOLD, readHold } from '../holding.js';
import { holdBuffers } from '../party-holding.js';
import { PARTY_NOTES, PARTY_OPTIONS, readNeeds } from '../party-options.js';
import { withAdvice } from '../party-waiting.js';
import { UsageError } from '../usage.js';
import type { Verb } from '../verb.js';

export const join: Verb = {
  name: 'join',
  summary: 'Take part in a negotiation with a token, and hold its buffers',
  operands: '[TOKEN]',
  takesCommand: true,
  options: [...PARTY_OPTIONS, HOLD],
  notes: [
    'TOKEN is what dmabrokerctl negotiate, or another program, made for it; by default, what DMABROKER_TOKEN says.',
    ...PARTY_NOTES,
    COMMAND_NOTE,
  ],
  async run(context, args) {
    const [token = context.env['DMABROKER_TOKEN']] = args.operands;
    if (token === undefined) throw new UsageError('TOKEN is missing, and so is DMABROKER_TOKEN');
    const { alternatives, needs } = readNeeds(args);
    if (args.texts('device').length === 0)
      throw new UsageError('who touches the buffers? Say --device, as in --device cpu:read,write');
    readHold(args);
    const broker = await context.connect();
    await using party = await broker.join(token).catch((error: unknown) => {
      throw withAdvice(error);
    });
    await party.constrain(alternatives, needs);
    return await holdBuffers(context, args, broker, party);
  },
};
