import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { run, type Ended, type Person } from './run.js';

/** A person of the machine with systemd, by name (`test/vm/systemd/tree.mjs`). */
export function person(name: 'alice' | 'bob' | 'carol' | 'dmabroker'): Person {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  assert(uid !== undefined && gid !== undefined, `nobody is called ${name}`);
  return { uid: Number(uid), gid: Number(gid) };
}

/** Arguments of `busctl` for a call to the broker. Seconds, because everything takes longer under emulation. */
export const brokerCall = (member: string, ...args: readonly string[]): readonly string[] => [
  ...['--timeout=120', 'call', 'org.dmabroker1', '/org/dmabroker1', 'org.dmabroker1.Broker', member],
  ...args,
];

/** Calls a method of the broker with systemd's own client; what is refused is in `complaints`. */
export const callBroker = (
  who: Person | undefined,
  member: string,
  ...args: readonly string[]
): Promise<Ended> => run('busctl', brokerCall(member, ...args), who);

/** Takes one buffer and gives it back, with our program. */
export const takeBuffer = (who: Person, device: string): Promise<Ended> =>
  run('dmabrokerctl', ['allocate', '--device', device, '--size', '64K', '--', 'true'], who);
