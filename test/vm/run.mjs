// `npm run test:vm`: boots the machines, shows each test as it ends, and closes with `N passed, N failed`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { boot } from './boot.mjs';
import { withRoot } from './machine.mjs';
import { reportOf, Results } from './results.mjs';
import { scenarioNamed, SCENARIOS } from './scenarios.mjs';
import { testFiles } from './test-files.mjs';

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true },
    file: { type: 'string', default: '' },
    long: { type: 'boolean', default: false },
    // A file for the counts and what failed, in vitest's JSON.
    report: { type: 'string' },
  },
});
/** Seconds of a machine with --long, where tests do all that they otherwise do a part of. */
const LONG = 6 * 3600;
const say = (text) => process.stdout.write(`${text}\n`);
/**
 * Boots of one scenario, where the emulator itself fails. QEMU before 8.1 can run code that the kernel has just replaced
 * (its commit deba78709a; Ubuntu's bug 2051965): the kernel then meets a breakpoint that it has already removed.
 */
const TRIES = 3;
const EMULATOR_FAULT = /Oops: int3: /;
/** Of each scenario that was begun. */
const all = [];

function begin(name, tell) {
  const results = new Results(name, tell);
  all.push(results);
  return results;
}

/** @param tell is given what is to be shown of it */
async function runScenario(root, scenario, tell) {
  const files = testFiles(scenario.tests, options.file);
  if (files.length === 0 && options.file !== '') return;
  tell(`== ${scenario.name}: ${scenario.about}`);
  const results = begin(scenario.name, tell);
  if (files.length === 0) {
    results.fail(`there are no tests in test/vm/${scenario.tests}`);
    return;
  }
  const started = performance.now();
  const append = [
    `dmabroker.tests=${scenario.tests} dmabroker.files=${files.join(',')}`,
    ...(options.long ? ['dmabroker.long=yes'] : []),
  ].join(' ');
  const { code, log, console, out } = await bootWhole(root, scenario, append, results, tell);
  judge(results, code, console);
  if (results.failed > 0 && log.length > 0) tell(`--- the daemon's log\n${log.join('\n')}\n---`);
  if (results.failed === 0 && scenario.host?.includes(options.file))
    await runHere(results, scenario.host, out);
  tell(`     ${results} in ${Math.round((performance.now() - started) / 1000)} seconds`);
}

/** Boots again, with the tests from the beginning, where the emulator and not the machine failed. */
async function bootWhole(root, scenario, append, results, tell) {
  for (let boots = 1; ; boots++) {
    const outcome = await boot(root, scenario, { append, line: (text) => results.take(text) });
    if (outcome.code !== undefined || !EMULATOR_FAULT.test(outcome.console) || boots === TRIES)
      return outcome;
    tell(
      '     the emulator ran code that the kernel had replaced (QEMU before 8.1 can); the machine starts again',
    );
    results.restart();
  }
}

/** A machine that ended early failed, however many tests had passed by then. */
function judge(results, code, console) {
  if (code === undefined) results.fail('the machine did not finish; its console:', console);
  else if (results.passed + results.failed === 0)
    results.fail("no test ended; the machine's console:", console);
  else if (code !== 0 && results.failed === 0) results.fail(`the tests ended with ${code}`);
}

/** Tests on what the machine brought back. */
async function runHere(results, file, out) {
  const here = (path) => fileURLToPath(new URL(path, import.meta.url));
  const reporter = `--test-reporter=${here('guest/reporter.mjs')}`;
  const child = spawn(process.execPath, ['--test', reporter, here(`../../dist/test/vm/${file}`)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, DMABROKER_VM_OUT: out, TMPDIR: out },
  });
  const closed = once(child, 'close');
  for await (const line of createInterface(child.stdout)) results.take(line);
  const [code] = await closed;
  if (code !== 0 && results.failed === 0) results.fail(`${file} ended with ${code}`);
}

/** The scenarios of one lane after the other; beside another lane, what they say is shown when each is over. */
async function runLane(root, scenarios, isBeside) {
  for (const scenario of scenarios) {
    const lines = [];
    await runScenario(root, scenario, isBeside ? (text) => lines.push(text) : say).finally(() => {
      if (lines.length > 0) say(lines.join('\n'));
    });
  }
}

async function runAll(root, scenarios) {
  await runLane(
    root,
    scenarios.filter(({ lane }) => lane === undefined),
    false,
  );
  const names = new Set(scenarios.flatMap(({ lane }) => lane ?? []));
  const lanes = [...names].map((name) => scenarios.filter(({ lane }) => lane === name));
  if (lanes.length > 1) say('== side by side, each shown when it is over');
  // The root is removed afterwards, when no machine runs any more.
  const ended = await Promise.allSettled(lanes.map((lane) => runLane(root, lane, lanes.length > 1)));
  for (const { status, reason } of ended) if (status === 'rejected') throw reason;
}

try {
  const wanted = options.scenario?.map(scenarioNamed) ?? SCENARIOS;
  const scenarios = wanted.map((scenario) => (options.long ? { ...scenario, limit: LONG } : scenario));
  await withRoot((root) => runAll(root, scenarios));
  if (all.length === 0) begin('test:vm', say).fail(`no file of these has ${options.file} in its name`);
} catch (error) {
  begin('test:vm', say).fail(error.message);
}
const report = reportOf(all);
const { numPassedTests: passed, numFailedTests: failed } = report;
if (options.report !== undefined) writeFileSync(options.report, JSON.stringify(report));
say(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
