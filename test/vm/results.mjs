// What is told and counted of the tests of one scenario.

export class Results {
  passed = 0;
  failed = 0;
  #scenario;
  #say;
  #failures = [];

  /** @param {string} scenario its name @param {(text: string) => void} say is given a line, or several */
  constructor(scenario, say) {
    this.#scenario = scenario;
    this.#say = say;
  }

  /** A line of JSON is a test that ended (guest/reporter.mjs); everything else is a remark. */
  take(line) {
    const ended = testIn(line);
    if (ended === undefined) {
      if (line !== '') this.#say(`     ${line}`);
      return;
    }
    const { name, ok, ms, error } = ended;
    if (ok) {
      this.passed++;
      this.#say(`ok   ${name} (${Math.round(ms)} ms)`);
    } else this.fail(`${name} (${Math.round(ms)} ms)`, error);
  }

  /** Forgets what was counted, for another try: the tests begin anew. */
  restart() {
    this.passed = 0;
    this.failed = 0;
    this.#failures = [];
  }

  /** A test failed, or something that is none. */
  fail(what, why = '') {
    this.failed++;
    this.#failures.push({ fullName: what, status: 'failed', failureMessages: [why] });
    this.#say(`FAIL ${what}`);
    if (why !== '') this.#say(why);
  }

  toString() {
    return `${this.passed} passed, ${this.failed} failed`;
  }

  /** What failed, as vitest's JSON has it of a file. */
  get report() {
    return { name: this.#scenario, assertionResults: this.#failures };
  }
}

/** @returns the test that a line is about; undefined for a remark, and for a line that a dying machine left unfinished */
function testIn(line) {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** @returns {{ numPassedTests: number, numFailedTests: number, testResults: object[] }} as vitest's JSON has it */
export function reportOf(all) {
  const sum = (counts) => counts.reduce((a, b) => a + b, 0);
  return {
    numPassedTests: sum(all.map(({ passed }) => passed)),
    numFailedTests: sum(all.map(({ failed }) => failed)),
    testResults: all.map(({ report }) => report),
  };
}
