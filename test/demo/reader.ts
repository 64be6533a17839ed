/** The other process of the demo: it has nothing but descriptors, from 3 on, and looks for the pattern behind them. */
import { OwnedFd } from '../../dbus/owned-fd.js';
import { withSync } from '../../client/memory/sync.js';
import { Window } from '../../client/memory/window.js';

const FIRST_FD = 3;
const [size = 0, count = 0] = process.argv.slice(2).map(Number);

for (let index = 0; index < count; index++) {
  using fd = new OwnedFd(FIRST_FD + index);
  const window = new Window(size);
  const bytes = await window.open(fd.number);
  try {
    const same = await withSync(fd.number, { read: true }, () =>
      Promise.resolve(bytes.every((byte) => byte === index + 1)),
    );
    if (!same) throw new Error(`buffer ${index} does not have the pattern`);
  } finally {
    await window.close();
  }
}
process.stdout.write(
  `Process ${process.pid} found it, through the ${count} descriptors that it was given.\n`,
);
