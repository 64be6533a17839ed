import { NOTHING } from '../../../daemon/sizing/nothing-text.js';
import { printable } from '../table.js';
import { bytesText } from '../numbers.js';
import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';
import { plainText } from '../value-text.js';

export const status: Verb = {
  name: 'status',
  summary: 'Show how the broker is doing, and what the machine lacks against policy',
  async run({ connect, json, out }) {
    const state = await (await connect()).status();
    if (json) {
      out.json(state);
      return EXIT.done;
    }
    // Nothing else matters to a person while this holds.
    for (const { text } of state.shortfalls)
      if (typeof text === 'string' && text.startsWith(NOTHING))
        out.lines([out.colour('red', printable(text)), '']);
    out.pairs([
      ['version', [state.version]],
      ['live', [`${state.liveBuffers} buffers, ${bytesText(state.liveBytes)}`]],
      ['channels', [String(state.channels)]],
      ['policy', orNone(state.policyFiles)],
      [
        'shortfalls',
        orNone(state.shortfalls.map(({ text, ...others }) => plainText(text ?? Object.values(others)))),
      ],
      ['warnings', orNone(state.warnings)],
    ]);
    return EXIT.done;
  },
};

const orNone = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? ['none'] : lines);
