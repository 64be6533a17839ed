// Allocates an image, draws into it, and reads it back.
import { connect } from 'dmabroker';

const bus = process.argv.includes('--system') ? 'system' : 'session';
const broker = await connect({ bus });
try {
  const allocation = await broker.allocate([{ device: 'cpu', uses: ['read', 'write'] }], {
    width: 640,
    height: 480,
    format: 'XR24',
  });
  const { planes, size } = allocation.layout;
  const [buffer] = allocation.buffers;
  await buffer.map({ write: true }, (bytes) => bytes.fill(0x80));
  const first = await buffer.map({ read: true }, (bytes) => bytes[0]);
  console.log(`pitch ${planes[0].pitch} bytes, size ${size} bytes, first byte ${first}`);
  await allocation.release();
} finally {
  await broker.close();
}
