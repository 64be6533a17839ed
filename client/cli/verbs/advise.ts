import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';
import { plainText } from '../value-text.js';

export const advise: Verb = {
  name: 'advise',
  summary: 'Say what the machine lacks against policy, how much, and what mends it',
  notes: ['The broker says so of the machine that it runs on. dmabrokerctl policy simulate needs no broker.'],
  async run({ connect, json, out }) {
    const { shortfalls } = await (await connect()).status();
    if (json) out.json(shortfalls);
    else if (shortfalls.length === 0) out.line('The machine has all that policy asks for.');
    else {
      for (const { text, ...others } of shortfalls) out.line(plainText(text ?? Object.values(others)));
    }
    return EXIT.done;
  },
};
