import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { Processes } from '../../../../client/cli/top/processes.js';
import type { OwnerPicture, Picture } from '../../../../client/cli/top/tally.js';
import { connectBus } from '../../../../dbus/connection/bus.js';
import { startBus } from '../../../harness/private-bus.js';

const pictureOf = (...owners: readonly string[]): Picture => ({
  pools: [],
  owners: owners.map((owner): OwnerPicture => ({
    ...{ owner, user: 0, unit: '', state: 'held', labels: [] },
    ...{ allocations: 1, buffers: 1, size: 1n, allocationsPerSecond: 0 },
  })),
});

describe('Processes', () => {
  it('names the process behind a connection, as the bus and the kernel have it', async () => {
    await using bus = await startBus();
    const connection = await connectBus(bus.address);
    await using processes = await Processes.on(bus.address);
    const picture = pictureOf(connection.uniqueName, ':1.999');
    expect(await processes.learn(picture)).toBe(true);
    const comm = readFileSync('/proc/self/comm', 'utf8').trim();
    expect(processes.named(picture).owners.map((owner) => owner.process)).toEqual([
      `${comm}[${process.pid}]`,
      undefined,
    ]);
    // Each is asked for once.
    expect(await processes.learn(picture)).toBe(false);
    await connection.close();
  });

  it('knows nothing without a bus', async () => {
    await using processes = await Processes.on('unix:path=/nowhere');
    const picture = pictureOf(':1.1');
    await processes.learn(picture);
    expect(processes.named(picture)).toEqual(picture);
  });
});
