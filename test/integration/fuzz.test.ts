import { afterAll, beforeAll, expect, it } from 'vitest';

import { ROOT_PATH } from '../../dbus/names.js';
import { randomCall } from '../harness/hostile/random-calls.js';
import { randomFrom } from '../harness/random.js';
import type { RawClient } from '../harness/raw-client.js';
import { HostileRig } from './hostile-rig.js';

/** Seconds; an hour is 3600. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 20);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 32);
/** Calls of one connection. */
const CALLS_EACH = 16;

let rig: HostileRig;
beforeAll(async () => {
  rig = await HostileRig.start();
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

it(
  `random calls end in answers, and none in Internal (FUZZ_SEED=${SEED})`,
  { timeout: (SECONDS + 60) * 1000 },
  async () => {
    const random = randomFrom(SEED);
    const { body } = await rig.ordinary.call({
      destination: rig.target,
      path: ROOT_PATH,
      interface: 'org.freedesktop.DBus.ObjectManager',
      member: 'GetManagedObjects',
    });
    const [objects] = body;
    const known = Array.isArray(objects)
      ? objects.flatMap((entry: unknown) => (Array.isArray(entry) ? [String(entry[0])] : []))
      : [];
    const paths = [ROOT_PATH, ROOT_PATH, ROOT_PATH, '/', '/nothing', ...known.slice(0, 20)];
    const end = performance.now() + SECONDS * 1000;
    const names = new Map<string, number>();
    let client: RawClient | undefined;
    for (let asked = 0; performance.now() < end || asked === 0; asked += CALLS_EACH) {
      const asking = (client ??= await rig.connect());
      for (let i = 0; i < CALLS_EACH; i++) {
        const answer = await rig.ask(asking, randomCall(random, paths));
        const name = answer.kind === 'error' ? answer.name : answer.kind;
        if (name === 'org.dmabroker1.Error.Internal') expect.fail(`call ${asked + i} of seed ${SEED}`);
        names.set(name, (names.get(name) ?? 0) + 1);
        // A bus ends a connection that sends what is no message; what one holds goes with it.
        if (answer.kind === 'disconnected' || i === CALLS_EACH - 1) {
          asking.close();
          client = undefined;
          break;
        }
      }
    }
    // The calls reach what they are meant for: some succeed, and some fail in each of the checks.
    expect([...names.keys()]).toEqual(
      expect.arrayContaining([
        'reply',
        'org.dmabroker1.Error.InvalidRequest',
        'org.freedesktop.DBus.Error.InvalidArgs',
        'org.freedesktop.DBus.Error.UnknownMethod',
      ]),
    );
    await rig.expectUnharmed();
  },
);
