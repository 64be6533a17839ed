// Two processes agree on buffers, of which each knows only its own needs: one draws, the other looks at it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { connect } from 'dmabroker';

const bus = process.argv.includes('--system') ? 'system' : 'session';
const { DMABROKER_TOKEN: token, ...env } = process.env;
// Programs that this one starts do not inherit it.
delete process.env.DMABROKER_TOKEN;
const broker = await connect({ bus });
try {
  await (token === undefined ? draw() : look());
} finally {
  await broker.close();
}

async function draw() {
  const party = await broker.negotiate({ width: 640, height: 480, formats: ['XR24'] });
  // The token travels in the environment; any channel for a string will do.
  const invitation = await party.invite({ label: 'viewer' });
  const viewer = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
    env: { ...env, DMABROKER_TOKEN: invitation },
  });
  const exited = once(viewer, 'exit');
  await party.constrain([[{ device: 'cpu', uses: ['write'], minBuffers: 2 }]]);
  const { buffers, layout } = await party.buffers();
  console.log(`${layout.count} buffers, pitch ${layout.planes[0].pitch} bytes`);
  await buffers[1].map({ write: true }, (bytes) => bytes.fill(0x80));
  // All parties have the same buffers in the same order, so a number says which one it is.
  viewer.send(1);
  await exited;
}

async function look() {
  const message = once(process, 'message');
  const party = await broker.join(token);
  await party.constrain([[{ device: 'cpu', uses: ['read'], minBuffers: 1 }]]);
  const { buffers } = await party.buffers();
  const [index] = await message;
  const first = await buffers[index].map({ read: true }, (bytes) => bytes[0]);
  console.log(`buffer ${index} begins with ${first}`);
  process.disconnect();
}
