// Asks for what nothing can satisfy, and prints the constraints that clash.
import { connect, DmabrokerError } from 'dmabroker';

const bus = process.argv.includes('--system') ? 'system' : 'session';
const broker = await connect({ bus });
try {
  await broker.allocate(
    [
      // One wants every row to end at a multiple of 100 bytes exactly, the other at a multiple of 256.
      { device: 'cpu', uses: ['write'], pitchExact: 100 },
      { device: 'cpu', uses: ['read'], pitchMultiple: 256 },
    ],
    { width: 1280, height: 800, format: 'XR24' },
  );
} catch (error) {
  if (!(error instanceof DmabrokerError) || error.code !== 'Conflict') throw error;
  for (const { device, constraint, value, source } of error.conflict) {
    console.log(`${device || 'the buffer'}: ${constraint} ${value} (${source})`);
  }
} finally {
  await broker.close();
}
