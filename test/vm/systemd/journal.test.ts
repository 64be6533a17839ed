import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';

import { MESSAGES } from '../../../daemon/base/messages.js';
import { until } from '../rig/daemon.js';
import { callBroker, person } from '../rig/people.js';
import { run, type Person } from '../rig/run.js';
import { DAEMON } from '../rig/unit.js';

const CATALOG = '/usr/lib/systemd/catalog/dmabroker.catalog';
const NOWHERE = '/dev/nowhere';
const [alice, bob] = [person('alice'), person('bob')];

const journal = async (who: Person | undefined, ...args: readonly string[]): Promise<string> =>
  (await run('journalctl', ['--boot', '--no-pager', ...args], who)).out;

/** The line of the catalog that a person sees first. */
function subjectOf(id: string): string {
  const entry = readFileSync(CATALOG, 'utf8')
    .split(/^-- /m)
    .find((text) => text.startsWith(id));
  const subject = /^Subject: (.*)$/m.exec(entry ?? '')?.[1];
  assert(subject !== undefined, `the catalog does not explain ${id}`);
  return subject;
}

describe('the journal', () => {
  const refused = `MESSAGE_ID=${MESSAGES['call-refused']}`;

  before(async () => {
    await DAEMON.start();
    const words = ['1', NOWHERE, '0', '1', 'size', 't', '4096'];
    const { code } = await callBroker(bob, 'Allocate', 'a(sa{sv})a{sv}', ...words);
    assert.equal(code, 1);
  });

  it('has who was refused what, in fields that it can be asked for', async () => {
    const entries = await until('the refusal is there', async () => {
      const lines = await journal(
        undefined,
        '--output=json',
        refused,
        `DMABROKER_UID=${bob.uid}`,
        `DMABROKER_DEVICE=${NOWHERE}`,
      );
      return lines === '' ? undefined : lines.trim().split('\n');
    });
    assert.equal(entries.length, 1);
    const entry = JSON.parse(entries[0] ?? '') as Readonly<Record<string, string>>;
    const { DMABROKER_CODE, DMABROKER_DEVICE, DMABROKER_MEMBER, PRIORITY, _SYSTEMD_UNIT, _UID } = entry;
    assert.deepEqual(
      { DMABROKER_CODE, DMABROKER_DEVICE, DMABROKER_MEMBER, PRIORITY, _SYSTEMD_UNIT, _UID },
      {
        DMABROKER_CODE: 'UnknownDevice',
        DMABROKER_DEVICE: NOWHERE,
        DMABROKER_MEMBER: 'Allocate',
        PRIORITY: '6',
        _SYSTEMD_UNIT: DAEMON.name,
        _UID: String(person('dmabroker').uid),
      },
    );
  });

  it('explains it to an administrator', async () => {
    const explained = await journal(undefined, '--catalog', refused);
    assert.match(explained, new RegExp(`Subject: ${subjectOf(MESSAGES['call-refused'])}`));
  });

  it('shows nothing of it to another user', async () => {
    const seen = await journal(alice, `--unit=${DAEMON.name}`);
    assert(!seen.includes(NOWHERE), seen);
  });
});
