import { describe, expect, it } from 'vitest';

import { readArrays, wordsOf } from '../../../daemon/kernel/kernel-arrays.js';
import { KernelStruct } from '../../../daemon/kernel/struct.js';
import { copyOut, fakeEdge, giveArray, NODE, words, type CopyRule } from './fake-edge.js';

const struct = new KernelStruct('list', { ids: 'uint64', count: 'uint32', which: 'uint32' });
const array = { pointer: 'ids', count: 'count' } as const;
const CALL = { name: 'LIST', request: 1 };

/** A driver that has another list each time it is asked; the last one stays. */
function changing(lists: readonly (readonly number[])[], rule: CopyRule): ReturnType<typeof fakeEdge> {
  let turn = 0;
  return fakeEdge({
    LIST(argument) {
      const list = lists[Math.min(turn++, lists.length - 1)] ?? [];
      giveArray(struct, argument, { ...array, rule }, words(...list));
      struct.write(argument, 0, 'count', list.length);
    },
  });
}

function read(edge: ReturnType<typeof fakeEdge>, least = 0): readonly number[] {
  const arrays = [{ ...array, element: 4, least }];
  return wordsOf(readArrays(edge, NODE, { call: CALL, struct, values: {}, arrays }).bytes.ids);
}

describe('readArrays', () => {
  describe.each(['some', 'all', 'exact'] as const)('of a call that copies %s', (rule) => {
    it('takes what there is', () => {
      expect(read(changing([[3, 1, 2]], rule))).toEqual([3, 1, 2]);
    });

    it('takes nothing where nothing is, without a second call', () => {
      const edge = changing([[]], rule);
      expect(read(edge)).toEqual([]);
      expect(edge.log).toHaveLength(1);
    });

    it('asks again when more has come or some has gone', () => {
      expect(read(changing([[1], [1, 2], [1, 2, 3]], rule))).toEqual([1, 2, 3]);
      expect(read(changing([[1, 2, 3], [1, 2, 3], [1]], rule))).toEqual([1, 2, 3]);
      expect(read(changing([[1, 2, 3], [1], [1]], rule))).toEqual([1]);
    });
  });

  it('keeps room for the least, and gives back no more than there is', () => {
    const rooms: number[] = [];
    const edge = fakeEdge({
      LIST(argument) {
        rooms.push(struct.read(argument, 0, 'count'));
        struct.write(argument, 0, 'count', 0);
      },
    });
    expect(read(edge, 1)).toEqual([]);
    expect(rooms).toEqual([1]);
  });

  it('hands the other members in each time, and out', () => {
    const edge = fakeEdge({
      LIST(argument) {
        giveArray(struct, argument, { ...array, rule: 'some' }, words(struct.read(argument, 0, 'which')));
        struct.write(argument, 0, 'count', 1);
        struct.write(argument, 0, 'which', struct.read(argument, 0, 'which') + 1);
      },
    });
    const arrays = [{ ...array, element: 4 }];
    const { argument, bytes } = readArrays(edge, NODE, { call: CALL, struct, values: { which: 7 }, arrays });
    expect(wordsOf(bytes.ids)).toEqual([7]);
    expect(struct.read(argument, 0, 'which')).toBe(8);
  });

  it('refuses an absurd count before it makes room for it', () => {
    const edge = fakeEdge({
      LIST: (argument) => {
        struct.write(argument, 0, 'count', 0xffff_ffff);
      },
    });
    expect(() => read(edge)).toThrow(expect.objectContaining({ code: 'EOVERFLOW', call: 'LIST' }) as Error);
    expect(edge.log).toHaveLength(1);
  });

  it('gives up on counts that never settle', () => {
    let count = 0;
    const edge = fakeEdge({
      LIST(argument) {
        copyOut(struct.readWide(argument, 0, 'ids'), Buffer.alloc(0));
        struct.write(argument, 0, 'count', ++count);
      },
    });
    expect(() => read(edge)).toThrow(expect.objectContaining({ code: 'EAGAIN', call: 'LIST' }) as Error);
    expect(edge.log.length).toBeLessThan(20);
  });
});
