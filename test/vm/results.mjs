// What is told and counted of the tests.
const say = (text) => process.stdout.write(`${text}\n`);

export class Results {
  passed = 0;
  failed = 0;

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
    } else this.fail(`${name} (${Math.round(ms)} ms)\n${error}`);
  }

  /** Something failed that is no test. */
  fail(text) {
    this.failed++;
    say(`FAIL ${text}`);
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
