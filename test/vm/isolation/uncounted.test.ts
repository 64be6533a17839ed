import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Arena } from '../rig/arena.js';
import { nothingLives, until } from '../rig/daemon.js';
import type { Way } from '../rig/ways.js';
import { exporters, type Exporter } from '../rig/exporters.js';

/** Bytes of a buffer, what a pool may have out, and how many a user takes who is not stopped. */
interface Attempt {
  readonly width: number;
  readonly height: number;
  readonly limit: number;
  readonly attempts: number;
}

const BITS = 32;
/** 192 MiB of the one; the other has 16 MiB of memory (`-device bochs-display`), of which its screen has a part. */
const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  'dumb virtio_gpu': { width: 2048, height: 1024, limit: 64 * 2 ** 20, attempts: 24 },
  'dumb bochs-drm': { width: 512, height: 512, limit: 4 * 2 ** 20, attempts: 12 },
};

/** The same exporter, and nothing but its pool's limit in the way. */
function larger(exporter: Exporter, { width, height }: Attempt): Exporter {
  return { ...exporter, buffer: { width, height, format: 'XR24' } };
}

for (const exporter of exporters().filter(({ kind }) => kind === 'drm-dumb'))
  describe(`memory of ${exporter.name} that a user maps through the card and releases`, () => {
    const attempt = ATTEMPTS[exporter.name];
    assert(attempt !== undefined);
    const way: Way = { name: 'dumb-map', node: exporter.node ?? '', keeps: 'reference' };
    const size = (attempt.width * attempt.height * BITS) / 8;
    const pool = `[Pool device]\nLimit=${attempt.limit}\nShare=100%\nWarm=0\n`;
    const policy = `${pool}[Quota]\nBytes=1G\nClientBytes=1G\nUnitBytes=1G\n`;

    it('counts until it is unmapped, and fills the pool', async (test) => {
      await using arena = await Arena.open(larger(exporter, attempt), [], policy);
      const said: string[] = [];
      let live: bigint;
      {
        await using attacker = await arena.attacker();
        while (said.length < attempt.attempts && said.every((line) => line.startsWith('kept')))
          said.push((await attacker.order({ keep: way })) as string);
        live = await arena.liveBytes();
        test.diagnostic(
          `${exporter.name}: ${said.length} of ${size} bytes, ${live} count; at last: ${said.at(-1) ?? ''}`,
        );
        await attacker.order('drop');
        if (!(await arena.ended()))
          test.diagnostic(`${exporter.name}: unmapped memory counts until its user leaves`);
      }
      await nothingLives(arena.daemon.broker);
      const room = attempt.limit / size;
      const kept = Array.from({ length: room }, () => 'kept pages');
      assert.deepEqual(
        { said, live },
        { said: [...kept, 'denied PoolExhausted'], live: BigInt(attempt.limit) },
      );
    });

    it('counts until its user is killed', async () => {
      await using arena = await Arena.open(larger(exporter, attempt), [], policy);
      {
        await using attacker = await arena.attacker();
        assert.equal(await attacker.order({ keep: way }), 'kept pages');
        // The buffer that told which pool is used counts too, until its place is seen to be taken.
        await until('its buffer alone counts', async () =>
          (await arena.liveBytes()) === BigInt(size) ? true : undefined,
        );
      }
      await nothingLives(arena.daemon.broker);
    });
  });
