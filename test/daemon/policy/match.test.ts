import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fits, parseDeviceMatch, parseHeapMatch, parseQuotaMatch } from '../../../daemon/policy/match.js';

const vc4 = {
  driver: 'vc4',
  compatible: ['brcm,bcm2711-vc5', 'brcm,bcm2835-vc4'],
  number: '226:0',
};
const radeon = { driver: 'amdgpu', compatible: [], pci: '1002:15d8', number: '226:1' };

describe('parseDeviceMatch', () => {
  it.each([
    ['vc4', true, false],
    ['driver=vc4', true, false],
    ['driver=amdgpu|vc4', true, true],
    ['driver=*', true, true],
    ['driver=vc?', true, false],
    ['compatible=brcm,bcm2835-vc4', true, false],
    ['compatible=brcm,*', true, false],
    ['pci=1002:*', false, true],
    ['pci=1002:15D8', false, true],
    ['number=226:0', true, false],
    ['number=226:*', true, true],
    ['vc4 compatible=brcm,bcm2711-vc5', true, false],
    ['vc4 compatible=brcm,bcm2712-vc6', false, false],
    ['driver=vc4\tnumber=226:0  compatible=*', true, false],
    ['driver=VC4', false, false],
    ['driver=vc', false, false],
  ])('%s holds for vc4: %s, for amdgpu: %s', (text, forVc4, forRadeon) => {
    const match = parseDeviceMatch(text);
    if (typeof match !== 'function') throw new Error(match.problem);
    expect([match(vc4), match(radeon)]).toEqual([forVc4, forRadeon]);
  });

  it.each([
    ['', 0, 'no-condition', undefined],
    ['drivr=vc4', 0, 'unknown-condition', 'driver'],
    ['driver=vc4 name=x', 11, 'unknown-condition', undefined],
    ['driver=', 0, 'empty-condition', undefined],
    ['driver=a||b', 0, 'empty-condition', undefined],
    ['__proto__=x', 0, 'unknown-condition', undefined],
  ])('refuses %s', (text, offset, kind, suggestion) => {
    expect(parseDeviceMatch(text)).toEqual({
      kind,
      offset,
      ...(suggestion && { suggestion }),
      problem: expect.any(String) as string,
    });
  });
});

describe('parseHeapMatch', () => {
  it.each([
    ['vendor-foo', true],
    ['name=vendor-*', true],
    ['kind=dma-heap', true],
    ['kind=udmabuf', false],
    ['name=vendor-foo kind=udmabuf', false],
  ])('%s: %s', (text, holds) => {
    const match = parseHeapMatch(text);
    if (typeof match !== 'function') throw new Error(match.problem);
    expect(match({ kind: 'dma-heap', name: 'vendor-foo' })).toBe(holds);
  });
});

describe('parseQuotaMatch', () => {
  const anna = { uid: 1000, user: 'anna', groups: ['anna', 'video'], unit: 'app-firefox.scope' };
  const nobodyKnown = { uid: 4711, groups: [] };

  it.each([
    ['', true, true],
    [' ', true, true],
    ['user:anna', true, false],
    ['user:anna|otto', true, false],
    ['user:otto', false, false],
    ['user:*', true, false],
    ['uid:1000', true, false],
    ['uid:4711', false, true],
    ['uid:100', false, false],
    ['group:video', true, false],
    ['group:vid', false, false],
    ['unit:app-*.scope', true, false],
    ['unit:app-*.service', false, false],
    ['group:video unit:app-*', true, false],
    ['group:render unit:app-*', false, false],
  ])('%s holds for anna: %s, for somebody without a name: %s', (text, forAnna, forNobody) => {
    const match = parseQuotaMatch(text);
    if (typeof match !== 'function') throw new Error(match.problem);
    expect([match(anna), match(nobodyKnown)]).toEqual([forAnna, forNobody]);
  });

  it('takes every colon behind the first for a part of the name', () => {
    const match = parseQuotaMatch('unit:a:b.service');
    if (typeof match !== 'function') throw new Error(match.problem);
    expect(match({ ...anna, unit: 'a:b.service' })).toBe(true);
  });

  it.each([
    ['anna', 0, 'unknown-condition', undefined],
    ['usr:anna', 0, 'unknown-condition', 'user'],
    ['uid:1 user=anna', 6, 'unknown-condition', 'user:'],
    ['user:', 0, 'empty-condition', undefined],
  ])('refuses %s', (text, offset, kind, suggestion) => {
    expect(parseQuotaMatch(text)).toEqual({
      kind,
      offset,
      ...(suggestion && { suggestion }),
      problem: expect.any(String) as string,
    });
  });
});

describe('fits', () => {
  it('is what a regular expression says', () => {
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '*', '?', '.'), { maxLength: 8 })
      .map((parts) => parts.join(''));
    const text = fc.array(fc.constantFrom('a', 'b', '.'), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        const expression = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(fits(pattern, text)).toBe(new RegExp(`^${expression}$`).test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('does not go astray in many stars', () => {
    expect(fits(`${'*a'.repeat(30)}*b`, 'a'.repeat(3000))).toBe(false);
  });
});
