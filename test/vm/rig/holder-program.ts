/**
 * A program that was handed a buffer, as fd 3, by its parent (`dmabrokerctl allocate … -- COMMAND`): holds it in the way
 * that is asked for and in no other, says so with its pid, lets it go on SIGUSR1,
 * says that too, and stays.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { Window } from '../../../client/memory/window.js';
import { drmCalls } from '../../../daemon/kernel/drm-calls.js';
import { OwnedFd } from '../../../dbus/owned-fd.js';
import { addFramebuffer, type FrameLayout } from './framebuffer.js';

/** The form that `dmabrokerctl` writes. */
interface Told {
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly size: number;
  readonly planes: readonly { readonly offset: number; readonly pitch: number }[];
}

const [way = '', card = ''] = process.argv.slice(2);
const buffer = new OwnedFd(3);
const layout = JSON.parse(process.env['DMABROKER_LAYOUT'] ?? '') as Told;

const letGo = await hold();
// Nothing else keeps the process, whose end would let go of everything.
setInterval(() => undefined, 1 << 30);
process.stdout.write(`held ${process.pid}\n`);
await once(process, 'SIGUSR1');
await letGo();
process.stdout.write('gone\n');

/** @returns what ends it */
async function hold(): Promise<() => Promise<void> | void> {
  switch (way) {
    case 'open':
      return () => {
        buffer.close();
      };
    case 'mapped': {
      const window = new Window(layout.size);
      await window.open(buffer.number);
      buffer.close();
      return () => window.close();
    }
    case 'framebuffer': {
      const node = drmCalls.open(card);
      const planes = layout.planes.map(({ offset, pitch }) => ({ offset: BigInt(offset), pitch }));
      const frame: FrameLayout = { ...layout, modifier: 0n, planes };
      const id = await addFramebuffer(node.number, buffer.number, frame);
      buffer.close();
      return () => drmCalls.removeFramebuffer(node.number, id);
    }
    default:
      return assert.fail(`no way to hold a buffer: ${way}`);
  }
}
