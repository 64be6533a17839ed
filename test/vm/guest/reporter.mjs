// One line of JSON for every test that ended, and the tests' remarks as they are; the host counts and prints them.
import { inspect } from 'node:util';

export default async function* report(events) {
  // Only a file is stopped for taking too long: which of its tests did is what began last.
  let begun = '';
  for await (const { type, data } of events) {
    if (type === 'test:dequeue') begun = data.name;
    if (type === 'test:diagnostic' && data.nesting > 0) yield `${data.message}\n`;
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue;
    const { error, duration_ms: ms } = data.details;
    const ok = type === 'test:pass';
    yield `${JSON.stringify({ name: data.name, ok, ms, ...(!ok && { error: reason(error, begun) }) })}\n`;
  }
}

function reason(error, begun) {
  const cause = error?.cause ?? error;
  // With what it hides: an error that disposing followed is only a property of that one.
  const text = inspect(cause, { depth: 4 });
  return error?.failureType === 'testTimeoutFailure' ? `${text}\nlast begun: ${begun}` : text;
}
