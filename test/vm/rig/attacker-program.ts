/** The attacker: takes buffers, keeps hold of them in the ways it is told, and looks at what becomes of them. */
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';

import { connect, DmabrokerError } from '../../../client/index.js';
import { AT_ONCE, obey, showsSecret, type AttackOrder, type Rotated, type Wanted } from './attack.js';
import { Talk } from './talk.js';
import { wayName, type Way } from './ways.js';

interface Kept {
  readonly way: string;
  readonly keeper: Talk;
}

const { bus, devices, buffer } = JSON.parse(process.argv[2] ?? '') as Wanted;
/** Kept at the same time while it rotates. */
const KEPT = 6;

let broker = await connect({ bus });
let kept: Kept[] = [];
let attempts = 0;
let hasFailed = false;
let rotation: { readonly stop: AbortController; readonly over: Promise<Rotated> } | undefined;

/** @returns what the keeper said, or that the broker gave nothing */
async function keep(way: Way): Promise<string> {
  const allocation = await broker.allocate(devices, buffer).catch((error: unknown) => {
    if (error instanceof DmabrokerError) return error.code;
    throw error;
  });
  if (typeof allocation === 'string') return `denied ${allocation}`;
  const [own] = allocation.buffers;
  const args = [way.name, String(allocation.layout.size), ...(way.node === undefined ? [] : [way.node])];
  const keeper = new Talk('/bin/keeper', args, own && { fd: own.fd.number });
  const said = await keeper.read();
  if (said.startsWith('kept')) kept.push({ way: wayName(way), keeper });
  else await keeper.end();
  await allocation.release();
  return said;
}

async function drop(dropped: readonly Kept[]): Promise<void> {
  for (const { keeper } of dropped) await keeper.end();
  kept = kept.filter((one) => !dropped.includes(one));
}

async function rotate(ways: readonly Way[], stop: AbortSignal): Promise<Rotated> {
  attempts = 0;
  const tried: Record<string, number> = {};
  const seen = new Set<string>();
  for (let i = 0; !stop.aborted; i += 1) {
    const way = ways[i % ways.length];
    if (way === undefined) break;
    // Where nothing tells that memory ended, it counts until its user leaves.
    if ((await keep(way)).startsWith('denied')) await leave();
    attempts += 1;
    tried[wayName(way)] = (tried[wayName(way)] ?? 0) + 1;
    for (const { way, keeper } of kept) {
      if (showsSecret(await keeper.ask('peek'))) seen.add(way);
      await keeper.ask('poke');
      if (showsSecret(await keeper.ask('peek'))) seen.add(way);
    }
    await drop(kept.slice(0, Math.max(0, kept.length - KEPT)));
  }
  await drop(kept);
  return { tried, seen: [...seen] };
}

async function leave(): Promise<void> {
  await drop(kept);
  await broker.close();
  broker = await connect({ bus });
}

async function askAll(what: string): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const { keeper } of kept) answers.push(await keeper.ask(what));
  return answers;
}

/** Asks for more than it may have, before which the daemon looks at what is released and held all the same. */
async function recheck(): Promise<void> {
  await assert.rejects(broker.allocate(devices, { ...buffer, count: AT_ONCE }), { code: 'QuotaExceeded' });
}

async function carryOut(order: AttackOrder): Promise<unknown> {
  if (typeof order === 'object') {
    if ('keep' in order) return keep(order.keep);
    const stop = new AbortController();
    rotation = { stop, over: rotate(order.rotate, stop.signal) };
    rotation.over.catch(() => {
      hasFailed = true;
    });
    return undefined;
  }
  switch (order) {
    case 'peek':
    case 'poke':
      return askAll(order);
    case 'drop':
      return drop(kept);
    case 'leave':
      return leave();
    case 'recheck':
      return recheck();
    case 'attempts':
      // What makes it fail is told at once, instead of a number that stays as it is.
      return hasFailed ? rotation?.over : attempts;
    case 'stop':
      rotation?.stop.abort();
      return rotation?.over;
  }
}

await obey(createInterface(process.stdin), (text) => carryOut(JSON.parse(text) as AttackOrder));
