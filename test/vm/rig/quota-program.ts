/** A program that takes buffers and gives them back, one connection for all; says how each step ended. */
import { connect, DmabrokerError, type Allocation } from '../../../client/index.js';

/** `take` so many bytes, or give back what was taken last. */
export type Step = { readonly take: number } | 'release';

export interface Steps {
  readonly bus: string;
  readonly steps: readonly Step[];
}

/** Of a step: the code and the text of the refusal, or that it was done. */
export type StepEnd = 'done' | { readonly code: string; readonly text: string };

const { bus, steps } = JSON.parse(process.argv[2] ?? '') as Steps;
await using broker = await connect({ bus });
const taken: Allocation[] = [];
const ends: StepEnd[] = [];
for (const step of steps) {
  try {
    if (step === 'release') await taken.pop()?.release();
    else taken.push(await broker.allocate([{ device: 'cpu', uses: ['read'] }], { size: step.take }));
    ends.push('done');
  } catch (error) {
    if (!(error instanceof DmabrokerError)) throw error;
    ends.push({ code: error.code, text: error.message });
  }
}
process.stdout.write(JSON.stringify(ends));
