import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

import { startDaemon } from '../rig/daemon.js';
import { answersOf } from './answers.js';
import { REPLAY, type Recording } from './recording.js';

it('a recorded profile gives every answer that the machine itself gave, sources included', async () => {
  const { DMABROKER_VM_OUT: out = '' } = process.env;
  const { profile, requests, answers } = JSON.parse(readFileSync(join(out, REPLAY), 'utf8')) as Recording;
  const directory = mkdtempSync(join(tmpdir(), 'dmabroker-replay-'));
  try {
    const file = join(directory, 'profile.json');
    writeFileSync(file, profile);
    await using daemon = await startDaemon(['--profile', file]);
    const here = await answersOf(daemon.broker, requests);
    assert(answers.length > 0);
    for (const [i, answer] of answers.entries()) assert.equal(here[i], answer, JSON.stringify(requests[i]));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
