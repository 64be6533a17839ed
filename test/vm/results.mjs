// What is told and counted of the tests.
import { writeFileSync } from 'node:fs';

const say = (text) => process.stdout.write(`${text}\n`);

export class Results {
  passed = 0;
  failed = 0;
  #scenario = '';
  #failures = [];

  /** What comes now is of this scenario. */
  begin(scenario) {
    this.#scenario = scenario;
  }

  /** A line of JSON is a test that ended (guest/reporter.mjs); everything else is somebody's remark. */
  take(line) {
    if (!line.startsWith('{')) {
      if (line !== '') say(`     ${line}`);
      return;
    }
    const { name, ok, ms, error } = JSON.parse(line);
    if (ok) {
      this.passed++;
      say(`ok   ${name} (${Math.round(ms)} ms)`);
    } else this.fail(`${name} (${Math.round(ms)} ms)`, error);
  }

  /** A test failed, or something that is none. */
  fail(what, why = '') {
    this.failed++;
    this.#failures.push({ scenario: this.#scenario, what, why });
    say(`FAIL ${what}`);
    if (why !== '') say(why);
  }

  /** Writes the counts and what failed, as vitest's JSON has them. */
  write(file) {
    const testResults = this.#failures.map(({ scenario, what, why }) => ({
      name: scenario,
      assertionResults: [{ fullName: what, status: 'failed', failureMessages: [why] }],
    }));
    const counts = { numPassedTests: this.passed, numFailedTests: this.failed };
    writeFileSync(file, JSON.stringify({ ...counts, testResults }));
  }

  /** @returns {() => { passed: number, failed: number }} what was counted since */
  since() {
    const { passed, failed } = this;
    return () => ({ passed: this.passed - passed, failed: this.failed - failed });
  }

  toString() {
    return `${this.passed} passed, ${this.failed} failed`;
  }
}
