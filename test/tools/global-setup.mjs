// Runs once before the tests: what all of them need must be there, what some need is asked for.
import { ensure } from './ensure.mjs';

export default function setup() {
  ensure(['dbus-daemon']);
  ensure(
    [
      ...[
        'dbus-broker',
        'systemd',
        'libglib2.0-bin',
        'gcc',
        'libsystemd-dev',
        'libdrm-dev',
        'linux-libc-dev',
      ],
      ...['fish', 'zsh', 'xdg-dbus-proxy'],
    ],
    { optional: true },
  );
  ensure(['lintian', 'rpm', 'rpmlint'], { optional: true });
}
