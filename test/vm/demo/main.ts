/** The demo, inside the machine: from camera to display as `nobody`, told in a few lines. */
import { chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { camera, card } from '../rig/cards.js';
import { NOBODY } from '../rig/nobody.js';
import { showFrames } from '../rig/show-frames.js';

/** Where the host looks for files. */
const OUT = '/out';
const PICTURE = 'dmabroker-demo.png';

const directory = mkdtempSync(join(tmpdir(), 'demo-'));
chownSync(directory, NOBODY, NOBODY);
const picture = join(directory, PICTURE);
const { layout, memory, frames, distinct, refusals } = await showFrames(picture);
mkdirSync(OUT, { recursive: true });
copyFileSync(picture, join(OUT, PICTURE));
rmSync(directory, { recursive: true });

const { format, modifier, width, height, pitch } = layout;
const closed = refusals.map(({ node, code }) => `${node} (${code})`).join(', ');
for (const line of [
  `The user nobody cannot open ${closed}.`,
  `It asked the broker for buffers for ${camera('vivid')} (vivid, capture) and ${card('vkms')} (vkms, scanout).`,
  `They came from ${memory} memory, laid out for both: ${format} ${width}×${height}, modifier ${modifier}, pitch ${pitch}.`,
  `The camera captured ${frames} frames into them, ${distinct} different ones, and the display showed each without a copy.`,
  `What the display read back was what the camera had captured, pixel by pixel, ${frames} times of ${frames}.`,
])
  process.stdout.write(`${line}\n`);
