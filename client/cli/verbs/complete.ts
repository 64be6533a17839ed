import { complete } from '../complete.js';
import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';

/** What the shells' completion scripts ask. No verb for people, and in no help. */
export const completing = (verbs: readonly Verb[]): Verb => ({
  name: 'complete',
  summary: 'Print what may stand for a word, after the words before it',
  options: [{ name: 'word', value: 'WORD', text: 'the word so far' }],
  takesCommand: true,
  run({ out }, args) {
    for (const candidate of complete(args.rest ?? [], args.text('word') ?? '', verbs)) out.line(candidate);
    return Promise.resolve(EXIT.done);
  },
});
