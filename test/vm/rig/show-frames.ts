import assert from 'node:assert/strict';

import { camera, card } from './cards.js';
import { startDaemon } from './daemon.js';
import { heapNodes } from './heap-nodes.js';
import { runSeat, type SeatResult } from './seat.js';

export const FRAMES = 30;
/** Captured by vivid and shown by vkms. */
export const FRAME_SIZE = { width: 640, height: 480 };

/**
 * Starts a daemon on the heaps that are there now, and has `nobody` show 30 frames of vivid on vkms.
 * @param picture file for the last one
 */
export async function showFrames(picture?: string): Promise<SeatResult> {
  await using daemon = await startDaemon();
  const closed = heapNodes();
  const result = await runSeat({
    ...{ bus: daemon.bus.address, camera: camera('vivid'), card: card('vkms') },
    ...{ frames: FRAMES, size: FRAME_SIZE, closed },
    ...(picture !== undefined && { picture }),
  });
  assert.deepEqual(
    result.refusals,
    closed.map((node) => ({ node, code: 'EACCES' })),
  );
  assert.equal(result.frames, FRAMES);
  assert(result.distinct > 1, 'all frames are the same');
  return result;
}
