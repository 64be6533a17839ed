import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { connect } from '../../../client/index.js';
import { callAsking } from '../rig/agent.js';
import { callBroker, person } from '../rig/people.js';
import { DAEMON } from '../rig/unit.js';
import { naming } from '../../harness/naming.js';

/** Of carol, who is an administrator. */
const PASSWORD = 'a-test';
const bob = person('bob');

let pool = '';
/** What takes an administrator, with its arguments and the action that polkit is asked about. */
const calls = (): readonly (readonly [string, string, ...string[]])[] => [
  ['Reload', 'org.dmabroker1.reload'],
  ['SetPoolLimit', 'org.dmabroker1.manage-pools', 'st', pool, '67108864'],
  ['Reveal', 'org.dmabroker1.reveal', 's', pool],
];

before(async () => {
  await DAEMON.start();
  await using broker = await connect();
  pool = (await broker.pools()).find((each) => each.class === 'scattered')?.handle ?? '';
});

describe('what takes an administrator', () => {
  it('is refused to an ordinary user', async () => {
    for (const [member, action, ...args] of calls()) {
      const { code, complaints } = await callBroker(bob, member, ...args);
      assert.notEqual(code, 0, member);
      assert.match(complaints, naming(action));
    }
  });

  it('is done for root', async () => {
    for (const [member, , ...args] of calls()) {
      const { code, complaints } = await callBroker(undefined, member, ...args);
      assert.equal(code, 0, `${member}: ${complaints}`);
    }
  });

  it('is done for an ordinary user when an administrator says so', async () => {
    for (const [member, action, ...args] of calls()) {
      const { code, complaints, dialogue } = await callAsking(bob, PASSWORD, member, ...args);
      assert.equal(code, 0, `${member}: ${complaints}\n${dialogue}`);
      assert.match(dialogue, new RegExp(`AUTHENTICATING FOR ${action}\\b`));
      assert.match(dialogue, /Authenticating as: carol/);
    }
  });

  it('is refused when the password is wrong', async () => {
    const { code, complaints, dialogue } = await callAsking(bob, 'not-that', 'Reload');
    assert.notEqual(code, 0, dialogue);
    assert.match(complaints, naming('org.dmabroker1.reload'));
  });
});
