/** The victim: takes buffers, writes secrets into them, and says what it finds that it did not write. */
import { createInterface } from 'node:readline';

import { connect, type Allocation } from '../../../client/index.js';
import { withSync } from '../../../client/memory/sync.js';
import { Window } from '../../../client/memory/window.js';
import { obey, secretOf, SIZE, type Harm, type VictimOrder, type Wanted } from './attack.js';

interface Held {
  readonly allocation: Allocation;
  readonly secret: Buffer;
}

const { bus, devices, buffer } = JSON.parse(process.argv[2] ?? '') as Wanted;
/** Secrets at the same time while there are rounds, so that there is time to overwrite one. */
const AT_ONCE = 4;
const ZEROES = Buffer.alloc(SIZE);

const broker = await connect({ bus });
const window = new Window(SIZE);
const held: Held[] = [];
let written = 0;

/** Looks at each buffer. @returns how many were not as `look` wants them */
async function each({ buffers }: Allocation, look: (bytes: Uint8Array) => boolean): Promise<number> {
  let wrong = 0;
  for (const { fd } of buffers) {
    const bytes = await window.open(fd.number);
    await withSync(fd.number, { read: true, write: true }, () => {
      if (!look(bytes)) wrong += 1;
      return Promise.resolve();
    });
    await window.close();
  }
  return wrong;
}

/** @returns how many buffers were dirty */
async function take(count: number): Promise<number> {
  const secret = Buffer.alloc(SIZE, secretOf((written += 1)));
  const allocation = await broker.allocate(devices, { ...buffer, count });
  held.push({ allocation, secret });
  return each(allocation, (bytes) => {
    const isClean = ZEROES.equals(bytes);
    bytes.set(secret);
    return isClean;
  });
}

/** @returns how many buffers were overwritten */
async function check(checked: readonly Held[]): Promise<number> {
  let overwritten = 0;
  for (const { allocation, secret } of checked)
    overwritten += await each(allocation, (bytes) => secret.equals(bytes));
  return overwritten;
}

/** Checks the oldest and releases them. @returns how many buffers were overwritten */
async function release(count: number): Promise<number> {
  const released = held.splice(0, count);
  const overwritten = await check(released);
  for (const { allocation } of released) await allocation.release();
  return overwritten;
}

async function rounds(count: number): Promise<Harm> {
  let [dirty, overwritten] = [0, 0];
  for (let i = 0; i < count; i += 1) {
    dirty += await take(1);
    overwritten += await release(held.length - AT_ONCE + 1);
  }
  return { dirty, overwritten: overwritten + (await release(held.length)) };
}

async function carryOut(order: VictimOrder): Promise<Harm> {
  if (order === 'check') return { dirty: 0, overwritten: await check(held) };
  if (order === 'release') return { dirty: 0, overwritten: await release(held.length) };
  return 'take' in order ? { dirty: await take(order.take), overwritten: 0 } : rounds(order.rounds);
}

await obey(createInterface(process.stdin), (text) => carryOut(JSON.parse(text) as VictimOrder));
