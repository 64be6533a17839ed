import { readFileSync } from 'node:fs';

import { permissiveConfig } from './private-bus.js';

/**
 * A bus that lets everything through, but for the daemon's name, which is only for who runs this, with the limits that
 * we ship.
 * @param file `dbus/org.dmabroker1.conf`, which is somewhere else from the sources than from the build
 */
export function shippedConfig(file: URL): string {
  const own = `<policy user="${process.geteuid?.()}"><allow own="org.dmabroker1"/></policy>`;
  const limits = readFileSync(file, 'utf8').match(/<limit .*<\/limit>/g) ?? [];
  return permissiveConfig('<deny own="org.dmabroker1"/>', own + limits.join(''));
}
