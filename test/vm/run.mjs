// `npm run test:vm`: boots one machine after the other, shows each test as it ends, and closes with `N passed, N failed`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { boot } from './boot.mjs';
import { withRoot } from './machine.mjs';
import { Results } from './results.mjs';
import { scenarioNamed, SCENARIOS } from './scenarios.mjs';
import { testFiles } from './test-files.mjs';

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true },
    file: { type: 'string', default: '' },
    long: { type: 'boolean', default: false },
    report: { type: 'string' },
  },
});
/** Seconds of a machine with --long, where tests do all that they otherwise do a part of. */
const LONG = 6 * 3600;
const results = new Results();
const say = (text) => process.stdout.write(`${text}\n`);

async function runScenario(root, scenario) {
  const files = testFiles(scenario.tests, options.file);
  if (files.length === 0 && options.file !== '') return;
  results.begin(scenario.name);
  say(`== ${scenario.name}: ${scenario.about}`);
  if (files.length === 0) {
    results.fail(`there are no tests in test/vm/${scenario.tests}`);
    return;
  }
  const counted = results.since();
  const started = performance.now();
  const append = [
    `dmabroker.tests=${scenario.tests} dmabroker.files=${files.join(',')}`,
    ...(options.long ? ['dmabroker.long=yes'] : []),
  ].join(' ');
  const { code, log, console, out } = await boot(root, scenario, {
    append,
    line: (text) => {
      results.take(text);
    },
  });
  judge(counted(), code, console);
  if (counted().failed > 0 && log.length > 0) say(`--- the daemon's log\n${log.join('\n')}\n---`);
  if (counted().failed === 0 && scenario.host?.includes(options.file)) await runHere(scenario.host, out);
  const { passed, failed } = counted();
  say(
    `     ${passed} passed, ${failed} failed in ${Math.round((performance.now() - started) / 1000)} seconds`,
  );
}

/** A machine that ended early failed, however many tests had passed by then. */
function judge({ passed, failed }, code, console) {
  if (code === undefined) results.fail('the machine did not finish; its console:', console);
  else if (passed + failed === 0) results.fail("no test ended; the machine's console:", console);
  else if (code !== 0 && failed === 0) results.fail(`the tests ended with ${code}`);
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
  const counted = results.since();
  for await (const line of createInterface(child.stdout)) results.take(line);
  const [code] = await closed;
  if (code !== 0 && counted().failed === 0) results.fail(`${file} ended with ${code}`);
}

try {
  const wanted = options.scenario?.map(scenarioNamed) ?? SCENARIOS;
  const scenarios = wanted.map((scenario) => (options.long ? { ...scenario, limit: LONG } : scenario));
  await withRoot(async (root) => {
    for (const scenario of scenarios) await runScenario(root, scenario);
  });
  if (results.passed + results.failed === 0) results.fail(`no file of these has ${options.file} in its name`);
} catch (error) {
  results.fail(error.message);
}
if (options.report !== undefined) results.write(options.report);
say(String(results));
process.exitCode = results.failed === 0 ? 0 : 1;
