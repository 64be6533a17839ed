import { describe, expect, it } from 'vitest';

import { accepted, type Outcome } from '../../../../daemon/devices/probes/outcome.js';
import { resultsOf } from '../../../../daemon/devices/probes/result.js';

const refused = (code: string): Outcome => ({ is: 'refused', source: `trial:QBUF:${code}`, code });
const unclear: Outcome = { is: 'unclear', why: 'busy' };
const capture = ['capture'] as const;
const output = ['output'] as const;

describe('learnedOf', () => {
  it('says once what works', () => {
    const parts = [
      { uses: capture, outcome: accepted('QBUF') },
      { uses: output, outcome: accepted('QBUF') },
    ];
    expect(resultsOf(parts)).toEqual({ results: [{ reachable: true, source: 'trial:QBUF' }] });
  });

  it('refuses for every use what all refuse in the same way', () => {
    const parts = [
      { uses: capture, outcome: refused('EFAULT') },
      { uses: output, outcome: refused('EFAULT') },
    ];
    expect(resultsOf(parts)).toEqual({ results: [{ reachable: false, source: 'trial:QBUF:EFAULT' }] });
  });

  it('refuses for the uses that it was tried for what works for others, or is refused otherwise', () => {
    const refusal = { reachable: false, source: 'trial:QBUF:EFAULT', uses: capture };
    const first = { uses: capture, outcome: refused('EFAULT') };
    expect(resultsOf([first, { uses: output, outcome: accepted('QBUF') }]).results).toEqual([
      { reachable: true, source: 'trial:QBUF' },
      refusal,
    ]);
    expect(resultsOf([first, { uses: output, outcome: refused('EINVAL') }]).results).toEqual([
      refusal,
      { reachable: false, source: 'trial:QBUF:EINVAL', uses: output },
    ]);
  });

  it('leaves open what is not clear, and says why', () => {
    expect(
      resultsOf([
        { uses: capture, outcome: refused('EFAULT') },
        { uses: output, outcome: unclear },
      ]),
    ).toEqual({
      results: [{ reachable: false, source: 'trial:QBUF:EFAULT', uses: capture }],
      inconclusive: 'busy',
    });
    expect(resultsOf([{ uses: capture, outcome: unclear }])).toEqual({ results: [], inconclusive: 'busy' });
  });

  it('knows nothing of a device where nothing was tried', () => {
    expect(resultsOf([])).toEqual({ results: [] });
  });
});
