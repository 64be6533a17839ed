import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';

import { listenAt, socketPair } from './sockets.js';
import { RawClient } from './raw-client.js';
import { CALL, ERROR, field, marshal, type RawValue } from './raw-message.js';

/**
 * Starts dbus-broker without its launcher, which needs systemd: the broker listens to a controller on a socket pair,
 * which hands it the listening socket and a policy (org.bus1.DBus.Broker.AddListener of dbus-broker's sources).
 */
export async function startBroker(path: string): Promise<{ address: string; child: ChildProcess }> {
  const [ours, theirs] = socketPair();
  using listener = listenAt(path);
  const args = ['--controller', '3', '--machine-id', randomBytes(16).toString('hex'), ...LIMITS];
  const child = spawn('dbus-broker', args, { stdio: ['ignore', 'inherit', 'inherit', theirs.number] });
  theirs.close();
  const controller = await RawClient.over(ours);
  // The broker ends with its controller, so that the connection stays open as long as the child lives.
  child.once('exit', () => {
    controller.close();
  });
  const serial = await controller.sendMessage(
    {
      type: CALL,
      fields: [
        field.path('/org/bus1/DBus/Broker'),
        field.interface('org.bus1.DBus.Broker'),
        field.member('AddListener'),
        field.signature('ohv'),
        field.unixFds(1),
      ],
      body: marshal('ohv', ['/org/bus1/DBus/Listener/0', 0, [POLICY_TYPE, PERMISSIVE]]),
    },
    [listener],
  );
  const answer = await controller.answerTo(serial);
  if (answer.header.type === ERROR) throw new Error(`dbus-broker: ${answer.header.errorName ?? ''}`);
  return { address: `unix:path=${path}`, child };
}

/** What the launcher gives when the configuration says nothing. */
const LIMITS = ['--max-bytes', String(2 ** 29), '--max-fds', '4096', '--max-matches', '16384'];

const BATCH_TYPE = 'bta(btbs)a(btssssuutt)a(btssssuutt)';
const POLICY_TYPE = `(a(u(${BATCH_TYPE}))a(buu(${BATCH_TYPE}))a(ss)bs)`;

const PRIORITY = 1n;
const ANY_FDS = [0n, 2n ** 64n - 1n];
const any: RawValue = [true, PRIORITY, '', '', '', '', 0, 0, ...ANY_FDS];
/** Connect, own any name, send anything, receive anything. */
const everything: RawValue = [true, PRIORITY, [[true, PRIORITY, true, '']], [any], [any]];
const EVERY_USER = 2 ** 32 - 1;
const PERMISSIVE: RawValue = [[[EVERY_USER, everything]], [], [], false, ''];
