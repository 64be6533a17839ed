// Prints the allocations of this user as they come and go; here, one of its own.
import { once } from 'node:events';

import { connect } from 'dmabroker';

const bus = process.argv.includes('--system') ? 'system' : 'session';
const [watcher, client] = await Promise.all([connect({ bus }), connect({ bus })]);
try {
  const watch = await watcher.watch();
  const isAllocation = ({ kind }) => kind === 'allocation';
  watch.on('added', (object) => {
    if (isAllocation(object)) console.log(`added: ${object.label}, ${object.size} bytes`);
  });
  const removed = new Promise((resolve) => {
    watch.on('removed', (object) => {
      if (isAllocation(object)) resolve(object);
    });
  });
  const added = once(watch, 'added');
  const allocation = await client.allocate([{ device: 'cpu' }], { size: 65536n, label: 'example' });
  await added;
  await allocation.release();
  console.log(`removed: ${(await removed).label}`);
} finally {
  await client.close();
  await watcher.close();
}
