import { readSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';

import { describe, expect, it } from 'vitest';

import { DmabrokerError } from '../../../client/errors.js';
import { Window } from '../../../client/memory/window.js';
import { mappingsOf, memfd } from './memfd.js';

const PAGE = 4096;

function bytesAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, position);
  return bytes;
}

describe('Window', () => {
  it('shows the bytes of the file, without a copy', async () => {
    using fd = memfd('shown', 5 * PAGE);
    const window = new Window(4 * PAGE + 10);
    const bytes = await window.open(fd.number);
    expect(bytes).toHaveLength(4 * PAGE + 10);
    bytes.fill(7);
    expect(bytesAt(fd.number, 4 * PAGE, 12)).toEqual(Buffer.from([7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0]));
    await window.close();
    expect(bytesAt(fd.number, 0, 1)).toEqual(Buffer.from([7]));
  });

  it('takes the bytes from every view at once, and lets the file go', async () => {
    using fd = memfd('taken', PAGE);
    const window = new Window(PAGE);
    const bytes = await window.open(fd.number);
    bytes[0] = 1;
    const words = new Uint32Array(bytes.buffer, 0, 4);
    expect(mappingsOf('taken')).toBe(1);
    const closed = window.close();
    expect([bytes.length, words.length, bytes.buffer.byteLength]).toEqual([0, 0, 0]);
    bytes[0] = 2;
    await closed;
    expect(mappingsOf('taken')).toBe(0);
    expect(bytesAt(fd.number, 0, 1)).toEqual(Buffer.from([1]));
  });

  it('opens again, on another file, and shows nothing of the first', async () => {
    using first = memfd('first', PAGE);
    using second = memfd('second', PAGE);
    const window = new Window(PAGE);
    (await window.open(first.number)).fill(0xaa);
    await window.close();
    const bytes = await window.open(second.number);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    await window.close();
  });

  it('cannot be moved to another thread', async () => {
    using fd = memfd('kept', PAGE);
    const window = new Window(PAGE);
    const bytes = await window.open(fd.number);
    const { port1, port2 } = new MessageChannel();
    try {
      // Node 20 sends a copy, later ones refuse.
      port1.postMessage(bytes, [bytes.buffer]);
    } catch (error) {
      expect(error).toMatchObject({ name: 'DataCloneError' });
    }
    expect(bytes).toHaveLength(PAGE);
    await window.close();
    expect(bytes).toHaveLength(0);
    port1.close();
    port2.close();
  });

  it('fails without a file, and can be closed after', async () => {
    const window = new Window(PAGE);
    await expect(window.open(-1)).rejects.toThrow(DmabrokerError);
    await expect(window.open(-1)).rejects.toMatchObject({ code: 'NotMappable' });
    await window.close();
  });

  it('fails for more than there is address space for', () => {
    expect(() => new Window(2 ** 40)).toThrow(expect.objectContaining({ code: 'NotMappable' }));
  });
});
