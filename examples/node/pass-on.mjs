// Gives a buffer to a child process, which inherits the descriptor and maps it as any dma-buf or memfd.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { connect } from 'dmabroker';

const bus = process.argv.includes('--system') ? 'system' : 'session';
const broker = await connect({ bus });
try {
  const allocation = await broker.allocate([{ device: 'cpu', uses: ['write'] }], { size: 4096n });
  const [buffer] = allocation.buffers;
  await buffer.map({ write: true }, (bytes) => bytes.fill(0x41));
  // The child's descriptor 3. Here it only looks at what it got; the kernel names a memfd or a dma-buf.
  const child = spawn('readlink', ['/proc/self/fd/3'], {
    stdio: ['ignore', 'inherit', 'inherit', buffer.fd.number],
  });
  await once(child, 'close');
} finally {
  await broker.close();
}
