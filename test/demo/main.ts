/**
 * The main job, shown on this machine and on two recorded ones, over a private bus: devices in, dma-buf file
 * descriptors out. It leaves no process and no file behind.
 */
import { onProfile, onThisMachine } from './scenes.js';

/** Says what went wrong in one line; the stack helps nobody who only wanted to see the demo. */
const fail = (error: unknown): void => {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
};

try {
  await onThisMachine();
  await onProfile({
    profile: 'steam-deck',
    title: 'A video frame of 1920×1080 NV12 that a program writes and the GPU shows, on a Steam Deck',
    why: 'Rows of 1920 bytes would do for the program. This GPU takes exactly the next multiple of 256, so that is what both get.',
    request: [
      ...['--device', 'cpu:write', '--device', '/dev/dri/card0:scanout'],
      ...['--width', '1920', '--height', '1080', '--format', 'NV12'],
    ],
    feasible: true,
  });
  await onProfile({
    profile: 'amd-desktop',
    title: 'A window of 1366×768 XR24 shared with a virtual machine, on a desktop with an AMD GPU',
    why: 'A row has 5464 bytes. The GPU wants rows of 5632 bytes and nothing else, the viewer rows of 5504 and nothing else: nobody is given a buffer that one of them would show as a black window.',
    request: [
      ...['--device', '/dev/dri/card0:scanout', '--device', 'cpu:read,pitch-exact=128'],
      ...['--width', '1366', '--height', '768', '--format', 'XR24'],
    ],
    feasible: false,
  });
} catch (error) {
  fail(error);
}
