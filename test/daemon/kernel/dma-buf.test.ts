import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dmaBufCalls, referencesIn } from '../../../daemon/kernel/dma-buf.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';

/** What Linux 6.12 shows of a dma-buf. */
const fdinfo = (count: number, label: string): string =>
  `pos:\t0\nflags:\t02100002\nmnt_id:\t15\nino:\t77\nsize:\t8294400\ncount:\t${count}\nexp_name:\tsystem\nname:\t${label}\n`;

describe('referencesIn', () => {
  it('finds the count of a dma-buf', () => {
    expect(referencesIn(fdinfo(3, 'frame'))).toBe(3);
  });

  it('is not misled by a label, whatever is in it', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.string(), (count, forged, noise) => {
        expect(referencesIn(fdinfo(count, `${noise}\ncount:\t${forged}`))).toBe(count);
      }),
    );
  });

  it('finds none in the fdinfo of another kind of file', () => {
    expect(referencesIn('pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t4\n')).toBeUndefined();
  });
});

describe('dmaBufCalls', () => {
  it('tells a file that is no dma-buf', async () => {
    using memfd = await memoryCalls.createMemfd('test', 4096n);
    const not = (call: string): Error => expect.objectContaining({ code: 'ENOTTY', call }) as Error;
    expect(() => dmaBufCalls.references(memfd.number)).toThrow(not('fdinfo'));
    expect(() => {
      dmaBufCalls.setName(memfd.number, 'label');
    }).toThrow(not('DMA_BUF_SET_NAME_B'));
  });

  it('tells size and inode, which names the memory whatever descriptor it is seen through', async () => {
    using memfd = await memoryCalls.createMemfd('test', 8192n);
    using copy = memfd.dup();
    using other = await memoryCalls.createMemfd('test', 4096n);
    expect(dmaBufCalls.size(memfd.number)).toBe(8192n);
    expect(dmaBufCalls.inode(copy.number)).toBe(dmaBufCalls.inode(memfd.number));
    expect(dmaBufCalls.inode(other.number)).not.toBe(dmaBufCalls.inode(memfd.number));
  });

  it('says by errno that a descriptor is not open', () => {
    expect(() => dmaBufCalls.size(1_000_000)).toThrow(expect.objectContaining({ code: 'EBADF' }) as Error);
  });
});
