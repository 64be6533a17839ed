import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { rangesIn, SubUids } from '../../../daemon/bus/sub-uids.js';

const PASSWD = 'root:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\n';

test('the ranges of subuid(5) are of users by name or number, and what is no range is left out', () => {
  const text = 'anna:100000:65536\n1001:165536:65536\nnobody-here:5:5\nanna:x:3\n\nanna:0:10\n';
  expect(rangesIn(text, PASSWD)).toEqual([
    { first: 100_000, end: 165_536, owner: 1000 },
    { first: 165_536, end: 231_072, owner: 1001 },
  ]);
});

test('ids that root gives containers count together, and never as root', () => {
  // As LXD writes it.
  const [range] = rangesIn('root:1000000:1000000000\n', PASSWD);
  expect(range).toEqual({ first: 1_000_000, end: 1_001_000_000, owner: 1_000_000 });
});

test('an id of a range counts as its user, any other as itself; the files are read below the root, and again', async () => {
  const root = mkdtempSync(join(tmpdir(), 'dmabroker-root-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
  const subUids = new SubUids(root);
  await subUids.read();
  expect(subUids.payerOf(100_001)).toBe(100_001);
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/passwd'), PASSWD);
  writeFileSync(join(root, 'etc/subuid'), 'anna:100000:65536\n');
  await subUids.read();
  expect([99_999, 100_000, 165_535, 165_536, 0].map((uid) => subUids.payerOf(uid))).toEqual([
    99_999, 1000, 1000, 165_536, 0,
  ]);
});
