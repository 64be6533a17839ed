// `report.mjs REPORT FAILURES`: prints how many tests passed and failed of a report in vitest's JSON, and adds those that
// failed, with why, to a file. A run that wrote no report did not get as far as its tests: none passed, none failed.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Lines of one failure that are told again, of its beginning and its end. */
const [FIRST, LAST] = [20, 8];
const [report, failures] = process.argv.slice(2);

const { numPassedTests, numFailedTests, testResults } = existsSync(report)
  ? JSON.parse(readFileSync(report, 'utf8'))
  : { numPassedTests: 0, numFailedTests: 0, testResults: [] };
for (const { name, status, message, assertionResults } of testResults) {
  const file = relative('.', name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  for (const { fullName, failureMessages } of failed)
    tell(`${file}: ${fullName}`, failureMessages.join('\n'));
  if (status === 'failed' && failed.length === 0) tell(file, message);
}
process.stdout.write(`${numPassedTests} ${numFailedTests}\n`);

function tell(what, why) {
  const lines = stripVTControlCharacters(why).trimEnd().split('\n');
  if (lines.length > FIRST + LAST) lines.splice(FIRST, lines.length - FIRST - LAST, '[…]');
  const shown = lines.map((line) => `    ${line}\n`);
  appendFileSync(failures, `FAILED: ${what}\n${shown.join('')}`);
}
