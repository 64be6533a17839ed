import { fileURLToPath } from 'node:url';

import type { Allocation, Broker, DeviceInfo, DeviceRequest, ImageLayout } from '../../client/index.js';
import { finished, run, Stage } from './stage.js';

const say = (line = ''): void => {
  process.stdout.write(`${line}\n`);
};
const heading = (title: string): void => {
  say();
  say(`== ${title}`);
  say();
};

const IMAGE = { width: 3840, height: 2160, format: 'XR24', count: 3, label: 'demo' } as const;

/** Finds what is here, allocates for all of it, and carries a pattern from one process to another. */
export async function onThisMachine(): Promise<void> {
  await using stage = await Stage.set();
  heading('This machine');
  await stage.ctl('devices');
  say();
  await stage.ctl('pools');
  const { devices, left } = await usable(stage.broker);
  for (const { node, why } of left) say(`Left out: ${node}. ${why}`);

  heading(`Three buffers of 3840×2160 XR24 for ${devices.map(({ device }) => device).join(', ')}`);
  await using allocation = await stage.broker.allocate(devices, IMAGE);
  say(memoryText(await stage.broker.pools(), allocation.layout.pool));
  say();
  const request = [
    ...devices.flatMap(({ device, uses = [] }) => [
      '--device',
      [device, uses.join(',')].filter(Boolean).join(':'),
    ]),
    ...['--width', String(IMAGE.width), '--height', String(IMAGE.height), '--format', IMAGE.format],
    ...['--count', String(IMAGE.count)],
  ];
  await stage.ctl('explain', ...request);
  say();
  await carryPattern(allocation);
}

/** A machine that was recorded, and what is asked of it. */
export interface ProfileScene {
  /** Name of a shipped profile. */
  readonly profile: string;
  readonly title: string;
  readonly why: string;
  /** Arguments of `dmabrokerctl explain`. */
  readonly request: readonly string[];
  readonly feasible: boolean;
}

/** @throws {Error} when the decision is not the one that the scene is about */
export async function onProfile({ profile, title, why, request, feasible }: ProfileScene): Promise<void> {
  const file = fileURLToPath(new URL(`../../../test/fixtures/profiles/${profile}.json`, import.meta.url));
  await using stage = await Stage.set('--profile', file);
  heading(`${title} (profile ${profile})`);
  const code = await stage.ctl('explain', ...request);
  say();
  say(why);
  if (code !== (feasible ? 0 : 1))
    throw new Error(`the decision on ${profile} is not the one that was expected`);
}

interface Found {
  readonly devices: readonly DeviceRequest[];
  readonly left: readonly { readonly node: string; readonly why: string }[];
}

/** The program itself, and every device that can take part in one buffer with those before it. */
async function usable(broker: Broker): Promise<Found> {
  const devices: DeviceRequest[] = [{ device: 'cpu', uses: ['read', 'write'] }];
  const left: { node: string; why: string }[] = [];
  for (const device of (await broker.devices()).filter(({ node }: DeviceInfo) => node !== 'cpu')) {
    const { feasible, suggestions, conflicts } = await broker.explain(
      [...devices, { device: device.node }],
      IMAGE,
    );
    if (feasible) devices.push({ device: device.node });
    else {
      const clash = conflicts.map(({ constraint, source }) => `${constraint} (${source})`).join(', ');
      left.push({
        node: device.node,
        why: [`It clashes with the others: ${clash}.`, ...suggestions].join(' '),
      });
    }
  }
  return { devices, left };
}

/** Says whether the memory is a real heap's. */
function memoryText(pools: Awaited<ReturnType<Broker['pools']>>, handle: string): string {
  const memoryClass = pools.find((pool) => pool.handle === handle)?.class ?? 'unknown';
  return memoryClass === 'plain'
    ? 'The memory is plain: no heap could be opened here, and only programs can use it.'
    : `The memory is ${memoryClass}, from a heap of this machine's kernel.`;
}

/** Writes a pattern into each buffer here, and has another process find it through the descriptors alone. */
async function carryPattern(allocation: Allocation<ImageLayout>): Promise<void> {
  for (const [index, buffer] of allocation.buffers.entries()) {
    const empty = await buffer.map({ read: true, write: true }, (bytes) => {
      const zero = bytes.every((byte) => byte === 0);
      bytes.fill(index + 1);
      return zero;
    });
    if (!empty) throw new Error(`buffer ${index} was not empty when it came`);
  }
  say(`Process ${process.pid} found zeroes in all of them and wrote a pattern.`);
  const fds = allocation.buffers.map(({ fd }) => fd.number);
  const reader = run('test/demo/reader.js', [String(allocation.layout.size), String(fds.length)], 'inherit', {
    extra: fds,
  });
  if ((await finished(reader)) !== 0) throw new Error('the other process did not find the pattern');
}
