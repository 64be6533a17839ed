// Ends in one line where a package is missing that the tests cannot do without, before anything is built for them.
import { howToGet, missing } from './ensure.mjs';

const NEEDED = ['dbus-daemon'];

const absent = missing(NEEDED);
if (absent.length > 0) {
  process.stderr.write(`The integration tests need ${howToGet(absent)}.\n`);
  process.exit(1);
}
