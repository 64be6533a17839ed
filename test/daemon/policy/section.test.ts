import { describe, expect, it } from 'vitest';
import { parseHeading } from '../../../daemon/policy/section.js';

describe('parseHeading', () => {
  it('reads each kind', () => {
    expect(parseHeading('Broker')).toEqual({ name: 'Broker' });
    expect(parseHeading('Pool  contiguous')).toEqual({ name: 'Pool', class: 'contiguous' });
    expect(parseHeading('Quota')).toMatchObject({ name: 'Quota' });
    expect(parseHeading('Quota user:anna')).toMatchObject({ name: 'Quota' });
    expect(parseHeading('Device driver=amdgpu')).toMatchObject({ name: 'Device' });
    expect(parseHeading('Heap name=vendor-foo')).toMatchObject({ name: 'Heap' });
  });

  it.each([
    ['', 0, 'nothing is no section'],
    ['broker', 0, 'did you mean Broker?'],
    ['Devices amdgpu', 0, 'did you mean Device?'],
    ['Broker x', 7, 'nothing follows'],
    ['Pool', 4, 'one of scattered, contiguous, device, protected, plain'],
    ['Pool contigous', 5, 'did you mean contiguous?'],
    ['Quota user=anna', 6, 'did you mean user:?'],
    ['Quota anna', 6, 'unknown condition anna'],
    ['Device', 6, 'driver=NAME'],
    ['Device drvr=x', 7, 'did you mean driver?'],
    ['Heap  name=x size=3', 13, 'unknown condition size'],
  ])('refuses [%s] at %i', (text, offset, problem) => {
    expect(parseHeading(text)).toEqual({ problem: expect.stringContaining(problem) as string, offset });
  });
});
