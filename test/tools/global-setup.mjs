// Runs once before the tests, and names in a line what is missing that only some of them need.
import { ensure, howToGet, missing } from './ensure.mjs';
// Ends the run where what all need is not there.
import './needed.mjs';

const OPTIONAL = [
  ...['dbus-broker', 'systemd', 'libglib2.0-bin', 'xdg-dbus-proxy'],
  ...['gcc', 'g++', 'meson', 'valgrind', 'libsystemd-dev', 'libdrm-dev', 'linux-libc-dev'],
  ...['bsdutils', 'fish', 'zsh', 'man-db', 'lintian', 'rpm', 'rpmlint'],
];

export default function setup() {
  if (!ensure(OPTIONAL, { optional: true }))
    process.stderr.write(`skipping the tests that need ${howToGet(missing(OPTIONAL))}\n`);
}
