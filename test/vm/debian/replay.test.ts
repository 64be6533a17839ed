import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { randomFrom } from '../../harness/random.js';
import { answersOf } from '../replay/answers.js';
import { REPLAY, type Recording } from '../replay/recording.js';
import { randomRequests } from '../replay/requests.js';
import { startDaemon } from '../rig/daemon.js';

const PROGRAM = fileURLToPath(new URL('../../../client/cli/main.js', import.meta.url));
const REQUESTS = 200;

it('brings its profile and the answers to random requests to the host', async () => {
  await using daemon = await startDaemon();
  const { broker } = daemon;
  const profile = execFileSync(process.execPath, [PROGRAM, 'record'], { encoding: 'utf8' });
  const requests = randomRequests(await broker.devices(), randomFrom(6), REQUESTS);
  const answers = await answersOf(broker, requests);
  // A recording of refusals alone would compare nothing.
  const feasible = answers.filter((answer) => answer.includes('"feasible": true')).length;
  const conflicts = answers.filter((answer) => answer.includes('"feasible": false')).length;
  assert(
    feasible > REQUESTS / 10 && conflicts > REQUESTS / 10,
    `${feasible} feasible, ${conflicts} conflicts`,
  );
  writeFileSync(`/out/${REPLAY}`, JSON.stringify({ profile, requests, answers } satisfies Recording));
});
