// The manual pages of the package, as paths from its root; the one of the D-Bus interface is made by the build.
import { readdirSync } from 'node:fs';

const FOLDERS = ['client/man', 'policy', 'dbus', 'systemd'];
const BUILT = ['dist/man/org.dmabroker1.5'];

/** @param {string} root with a slash at its end */
export const manualPages = (root) => [
  ...FOLDERS.flatMap((folder) =>
    readdirSync(root + folder)
      .filter((name) => /\.[1-8]$/.test(name))
      .map((name) => `${folder}/${name}`),
  ),
  ...BUILT,
];
