import type { Allocation } from '../../allocation.js';
import type { Broker } from '../../broker.js';
import { COMMAND_NOTE, HOLD, readHold, runCommand, untilEnough } from '../holding.js';
import { memoryNames } from '../memory-names.js';
import { REQUEST_NOTES, REQUEST_OPTIONS, readRequest } from '../request-options.js';
import { EXIT } from '../usage.js';
import type { Context, Verb } from '../verb.js';
import { layoutPairs } from '../value-text.js';

export const allocate: Verb = {
  name: 'allocate',
  summary: 'Allocate buffers that all the named devices can use, and hold them',
  takesCommand: true,
  options: [...REQUEST_OPTIONS, HOLD],
  notes: [...REQUEST_NOTES, COMMAND_NOTE],
  async run(context, args) {
    const request = readRequest(args);
    const seconds = readHold(args);
    const broker = await context.connect();
    const allocation = await broker.allocate(request.devices, request.buffer);
    broker.on('lost', () => {
      context.warn(
        'The daemon was restarted without its records: the buffers still work, but they are not counted.',
      );
    });
    try {
      if (args.rest !== undefined) return { command: await runCommand(args.rest, allocation, context.env) };
      await show(context, broker, allocation);
      await untilEnough(context, broker, seconds);
      return EXIT.done;
    } finally {
      await allocation.release();
    }
  },
};

async function show({ json, out }: Context, broker: Broker, { path, layout }: Allocation): Promise<void> {
  if (json) out.json({ path, layout });
  else out.pairs([['allocation', [path]], ...layoutPairs(layout, await memoryNames(broker))]);
}
