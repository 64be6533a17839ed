import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { STORE } from '../../daemon/state.js';

const UNIT = readFileSync(new URL('../../systemd/dmabrokerd.service', import.meta.url), 'utf8');

/** The value of a key that the unit has once. */
const valueOf = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(UNIT)?.[1];

test('the unit lets systemd keep as many descriptors as the daemon reckons with', () => {
  expect(valueOf('FileDescriptorStoreMax')).toBe(String(STORE));
});

test('the unit has a directory for the state, and the daemon is told of it', () => {
  expect(valueOf('ExecStart')).toContain(`--state-dir /var/lib/${valueOf('StateDirectory') ?? 'none'}`);
});
