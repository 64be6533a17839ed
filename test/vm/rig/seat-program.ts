/** What a program of an ordinary user does with a camera and a display of its seat; `runSeat` starts it as `nobody`. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';

import { connect } from '../../../client/index.js';
import { KernelError } from '../../../daemon/kernel/errors.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { encodePng } from '../../harness/png.js';
import { NOBODY } from './nobody.js';
import { runPipeline } from './pipeline.js';
import { rgbOf } from './pixels.js';
import type { SeatOptions, SeatResult } from './seat.js';

const options = JSON.parse(process.argv[2] ?? '') as SeatOptions;
assert.deepEqual([process.getuid?.(), process.getgid?.()], [NOBODY, NOBODY]);

const refusals = options.closed.map((node) => ({ node, code: openingOf(node) }));
await using broker = await connect({ bus: options.bus });
const { picture, size } = options;
const { layout, ...result } = await runPipeline(broker, {
  ...options,
  ...(picture !== undefined && {
    last: ({ pixels, pitch }) => {
      const rgb = rgbOf({ bytes: pixels, pitch }, size.width, size.height);
      writeFileSync(picture, encodePng(rgb, size.width, size.height));
    },
  }),
});
const { format, modifier, width, height, planes } = layout;
const answer: SeatResult = {
  ...result,
  refusals,
  layout: { format, modifier: Number(modifier), width, height, pitch: planes[0]?.pitch ?? 0 },
};
process.stdout.write(JSON.stringify(answer));

/** The errno that opening a node for reading and writing ends with, or `opened`. */
function openingOf(node: string): string {
  try {
    memoryCalls.openNode(node).close();
    return 'opened';
  } catch (error) {
    if (error instanceof KernelError) return error.code;
    throw error;
  }
}
