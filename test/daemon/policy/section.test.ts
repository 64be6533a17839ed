import { describe, expect, it } from 'vitest';
import { MEMORY_CLASSES } from '../../../dbus/names.js';
import { parseHeading } from '../../../daemon/policy/section.js';
import { naming } from '../../harness/naming.js';

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
    ['', 0, 'unknown-section', undefined],
    ['broker', 0, 'unknown-section', 'Broker'],
    ['Devices amdgpu', 0, 'unknown-section', 'Device'],
    ['Broker x', 7, 'trailing-text', undefined],
    ['Pool', 4, 'unknown-class', undefined],
    ['Pool contigous', 5, 'unknown-class', 'contiguous'],
    ['Quota user=anna', 6, 'unknown-condition', 'user:'],
    ['Quota anna', 6, 'unknown-condition', undefined],
    ['Device', 6, 'no-condition', undefined],
    ['Device drvr=x', 7, 'unknown-condition', 'driver'],
    ['Heap  name=x size=3', 13, 'unknown-condition', undefined],
  ])('refuses [%s] at %i', (text, offset, kind, suggestion) => {
    expect(parseHeading(text)).toEqual({
      kind,
      offset,
      ...(suggestion && { suggestion }),
      problem: expect.any(String) as string,
    });
  });

  it('names the classes that there are', () => {
    expect(parseHeading('Pool x')).toMatchObject({
      problem: expect.stringMatching(naming(...MEMORY_CLASSES)) as string,
    });
  });
});
