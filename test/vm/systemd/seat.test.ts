import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { connect } from '../../../client/index.js';
import { until } from '../rig/daemon.js';
import { localPolicy } from '../rig/local-policy.js';
import { person, takeBuffer } from '../rig/people.js';
import { run } from '../rig/run.js';
import { DAEMON, Unit } from '../rig/unit.js';
import { naming } from '../../harness/naming.js';

const GETTY = new Unit('getty@tty1.service');
/** The kernel has no contiguous heap; the system heap stands in for one, as far as access goes. */
const POLICY = [
  '[Heap system]',
  'Class=contiguous',
  '[Pool contiguous]',
  'Limit=64M',
  'Access=active-session',
  '',
];
const [alice, bob] = [person('alice'), person('bob')];
const things: Disposable[] = [];

before(async () => {
  await DAEMON.start();
  things.push(localPolicy(POLICY.join('\n')));
  await DAEMON.reload();
  await using broker = await connect();
  await until('there is contiguous memory', async () =>
    (await broker.pools()).some((pool) => pool.class === 'contiguous') ? true : undefined,
  );
});
after(async () => {
  await GETTY.stop();
  for (const thing of things) thing[Symbol.dispose]();
});

/** A property of `loginctl show-*`. */
async function loginctl(...args: readonly string[]): Promise<string> {
  return (await run('loginctl', [...args, '--value'])).out.trim();
}

/** The user whose session is before the machine; empty without one. */
async function seated(): Promise<string> {
  const session = await loginctl('show-seat', 'seat0', '--property=ActiveSession');
  return session === '' ? '' : await loginctl('show-session', session, '--property=Name');
}

describe('memory that policy keeps for whoever sits before the machine', () => {
  it('is refused without a session, and anything else is not', async () => {
    assert.equal(await seated(), '');
    for (const who of [alice, bob]) {
      const { code, complaints } = await takeBuffer(who, 'cpu:read,contiguous');
      assert.equal(code, 1, complaints);
      assert.match(complaints, naming('contiguous', 'active-session'));
      const other = await takeBuffer(who, 'cpu:read');
      assert.equal(other.code, 0, other.complaints);
    }
  });

  it('is given to whoever has an active session, and to nobody else', async () => {
    await GETTY.start();
    await until('alice has an active session', async () => ((await seated()) === 'alice' ? true : undefined));
    const served = await takeBuffer(alice, 'cpu:read,contiguous');
    assert.equal(served.code, 0, served.complaints);
    const refused = await takeBuffer(bob, 'cpu:read,contiguous');
    assert.equal(refused.code, 1, refused.complaints);
  });

  it('is refused again when the session is over', async () => {
    await GETTY.stop();
    await until('alice is refused', async () => {
      const { code } = await takeBuffer(alice, 'cpu:read,contiguous');
      return code === 1 ? true : undefined;
    });
  });
});
