import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { OPENED_PRESSURE, STORE_CAPACITY } from '../../daemon/service/state-directory.js';

const UNIT = readFileSync(new URL('../../systemd/dmabrokerd.service', import.meta.url), 'utf8');

/** The value of a key that the unit has once. */
const valueOf = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(UNIT)?.[1];

test('the unit lets systemd keep as many descriptors as the daemon reckons with', () => {
  expect(valueOf('FileDescriptorStoreMax')).toBe(String(STORE_CAPACITY));
});

test('the unit has a directory for the state, and the daemon is told of it', () => {
  expect(valueOf('ExecStart')).toContain(`--state-dir /var/lib/${valueOf('StateDirectory') ?? 'none'}`);
});

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the user of the unit is the one that is made, that owns the name, the actions and the heaps', () => {
  const user = valueOf('User') ?? 'none';
  expect(read('systemd/dmabroker.sysusers')).toMatch(new RegExp(`^u ${user} `, 'm'));
  expect(read('dbus/org.dmabroker1.conf')).toContain(`<policy user="${user}">`);
  expect(read('systemd/40-dmabroker.rules')).toContain(`GROUP="${user}"`);
  const actions = read('dbus/org.dmabroker1.policy');
  const owner = `<annotate key="org.freedesktop.policykit.owner">unix-user:${user}</annotate>`;
  expect(actions.split(owner)).toHaveLength(actions.split('<action ').length);
});

test('the groups of the unit are there on every system', () => {
  const groups = valueOf('SupplementaryGroups')?.split(' ') ?? [];
  expect(groups).not.toEqual([]);
  for (const group of groups)
    expect(read('systemd/dmabroker.sysusers')).toMatch(new RegExp(`^g ${group} `, 'm'));
});

test('systemd opens the file of memory pressure under the name that the daemon looks for', () => {
  const opened = /^OpenFile=\/proc\/pressure\/memory:(\w+):graceful$/m.exec(
    read('systemd/dmabrokerd.service.d/systemd-253.conf'),
  );
  expect(opened?.[1]).toBe(OPENED_PRESSURE);
});
