// `npm run test:vm`: boots one machine after the other, shows each test as it ends, and closes with `N passed, N failed`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { boot } from './boot.mjs';
import { withRoot } from './machine.mjs';
import { scenarioNamed, SCENARIOS } from './scenarios.mjs';

const { values: options } = parseArgs({
  options: { scenario: { type: 'string', multiple: true }, file: { type: 'string', default: '' } },
});

let passed = 0;
let failed = 0;
const say = (text) => process.stdout.write(`${text}\n`);

/** A line of JSON is a test that ended; everything else is somebody's remark. */
function show(line) {
  if (!line.startsWith('{')) {
    if (line !== '') say(`     ${line}`);
    return;
  }
  const { name, ok, ms, error } = JSON.parse(line);
  if (ok) passed++;
  else failed++;
  say(`${ok ? 'ok  ' : 'FAIL'} ${name} (${Math.round(ms)} ms)${ok ? '' : `\n${error}`}`);
}

async function runScenario(root, scenario) {
  say(`== ${scenario.name}`);
  const before = { passed, failed };
  const append = [
    `dmabroker.scenario=${scenario.name}`,
    `dmabroker.tests=${scenario.tests}`,
    `dmabroker.file=${options.file}`,
  ].join(' ');
  const { code, log, console, out } = await boot(root, scenario, { append, line: show });
  const ended = passed + failed - before.passed - before.failed;
  // A machine that ended early failed, however many tests had passed by then.
  const finished = code === 0 || (code !== undefined && failed > before.failed);
  if (!finished || ended === 0) {
    failed++;
    say(`FAIL the machine did not finish; its console:\n${console}`);
  }
  if (failed > before.failed) say(`--- the daemon's log\n${log.join('\n')}\n---`);
  else if (scenario.host !== undefined && options.file === '') await runHere(scenario.host, out);
}

/** Tests on what the machine brought back. */
async function runHere(file, out) {
  const here = (path) => fileURLToPath(new URL(path, import.meta.url));
  const reporter = `--test-reporter=${here('guest/reporter.mjs')}`;
  const child = spawn(process.execPath, ['--test', reporter, here(`../../dist/test/vm/${file}`)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, DMABROKER_VM_OUT: out, TMPDIR: out },
  });
  const closed = once(child, 'close');
  for await (const line of createInterface(child.stdout)) show(line);
  const [code] = await closed;
  if (code !== 0 && failed === 0) failed++;
}

try {
  const scenarios = options.scenario?.map(scenarioNamed) ?? SCENARIOS;
  await withRoot(async (root) => {
    for (const scenario of scenarios) await runScenario(root, scenario);
  });
} catch (error) {
  failed++;
  say(error.message);
}
say(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
