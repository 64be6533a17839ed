// One line of JSON for every test that ended, and the tests' remarks as they are; the host counts and prints them.
export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type === 'test:diagnostic' && data.nesting > 0) yield `${data.message}\n`;
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue;
    const { error, duration_ms: ms } = data.details;
    const cause = error?.cause ?? error;
    yield `${JSON.stringify({ name: data.name, ok: type === 'test:pass', ms, error: cause?.stack ?? cause })}\n`;
  }
}
