import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { tryOnDrm } from '../../../../daemon/devices/probes/drm-probe.js';
import type { Frame } from '../../../../daemon/devices/probes/frames.js';
import { ProbeBuffers, type ProbeBuffer } from '../../../../daemon/devices/probes/probe-buffers.js';
import type { FramebufferRequest } from '../../../../daemon/kernel/drm.js';
import { FakeKernel, inodeOf, type Errno, type FakeDrm } from '../../../tools/fake-drivers.js';
import { SysfsTree } from '../../../tools/sysfs-tree.js';
import { FakeHeap } from '../../fake-heap.js';

const INVALID = 0x00ff_ffff_ffff_ffffn;
const frame = (format: string, width: number, height: number, explicit = false): Frame => ({
  format,
  explicit,
  width,
  height,
  planes: [{ offset: 0n, pitch: 4 * width }],
  size: BigInt(4 * width * height),
});
const FRAMES = [frame('XR24', 1024, 1024), frame('XR24', 64, 64), frame('RG16', 64, 64)];

let tree: SysfsTree;
let buffers: ProbeBuffers;
let made: readonly [ProbeBuffer, ProbeBuffer];
beforeEach(async () => {
  tree = new SysfsTree();
  mkdirSync(join(tree.root, 'dev'), { recursive: true });
  writeFileSync(join(tree.root, 'dev/card0'), '');
  buffers = new ProbeBuffers();
  const probe = async (id: string): Promise<ProbeBuffer> => {
    const buffer = await buffers.of(new FakeHeap(id));
    if ('lacks' in buffer) throw new Error(buffer.lacks);
    return buffer;
  };
  made = [await probe('a'), await probe('b')];
});
afterEach(() => {
  buffers[Symbol.dispose]();
  tree[Symbol.dispose]();
});

/** What is learned of both heaps, after which the node holds nothing. */
async function learn(driver: Partial<FakeDrm>, frames: readonly Frame[] = FRAMES) {
  const kernel = new FakeKernel({ drm: { card0: { name: 'some-gpu', ...driver } } });
  const { drm } = kernel;
  const node = drm.open(join(tree.root, 'dev/card0'));
  try {
    return await tryOnDrm(drm, node.number, made, frames);
  } finally {
    node.close();
    expect(kernel.left).toEqual([]);
  }
}

const display = (
  shows: (request: FramebufferRequest, dmaBuf: bigint) => Errno | undefined,
): Partial<FakeDrm> => ({
  display: { crtcs: 1, max: 4096, planes: [], connectors: [], shows },
});

describe('tryOnDrm', () => {
  it('imports each buffer', async () => {
    const b = inodeOf(made[1].dmaBuf);
    const learned = await learn({ imports: (dmaBuf) => (dmaBuf === b ? 'ENODEV' : undefined) }, []);
    expect([...learned]).toEqual([
      ['a', { results: [{ reachable: true, source: 'trial:PRIME_FD_TO_HANDLE' }] }],
      ['b', { results: [{ reachable: false, source: 'trial:PRIME_FD_TO_HANDLE:ENODEV' }] }],
    ]);
  });

  it('has a display show what it imported, and asks no further once it does', async () => {
    const asked: string[] = [];
    const learned = await learn(
      display(({ format, width }) => {
        asked.push(`${format} ${width}`);
        return asked.length === 1 ? 'EINVAL' : undefined;
      }),
    );
    expect(learned.get('a')).toEqual({ results: [{ reachable: true, source: 'trial:ADDFB2' }] });
    expect(asked).toEqual(['XR24 1024', 'XR24 64', 'XR24 1024']);
  });

  it('refuses for scanout alone what can be imported and not shown, by the first refusal', async () => {
    const errnos: Errno[] = ['ERANGE', 'EINVAL', 'EINVAL'];
    let call = 0;
    const a = inodeOf(made[0].dmaBuf);
    const learned = await learn(display((_request, dmaBuf) => (dmaBuf === a ? errnos[call++] : undefined)));
    expect(learned.get('a')).toEqual({
      results: [
        { reachable: true, source: 'trial:PRIME_FD_TO_HANDLE' },
        { reachable: false, source: 'trial:ADDFB2:ERANGE', uses: ['scanout'] },
      ],
    });
    expect(learned.get('b')).toEqual({ results: [{ reachable: true, source: 'trial:ADDFB2' }] });
  });

  it('leaves open whether a display shows what it had no memory for', async () => {
    const errnos: Errno[] = ['EINVAL', 'ENOMEM', 'EINVAL'];
    let call = 0;
    const learned = await learn(display(() => errnos[call++ % 3]));
    expect(learned.get('a')).toEqual({
      results: [{ reachable: true, source: 'trial:PRIME_FD_TO_HANDLE' }],
      inconclusive: expect.stringContaining('ENOMEM') as string,
    });
  });

  it('says which modifier only to a driver that takes one, for formats that have them', async () => {
    const said: bigint[] = [];
    const shows = ({ modifier }: FramebufferRequest): undefined => void said.push(modifier);
    const frames = [frame('XR24', 64, 64, true)];
    await learn(display(shows), frames);
    await learn({ ...display(shows), capabilities: { ADDFB2_MODIFIERS: 1n } }, frames);
    await learn({ ...display(shows), capabilities: { ADDFB2_MODIFIERS: 1n } }, [frame('XR24', 64, 64)]);
    expect(said).toEqual([INVALID, INVALID, 0n, 0n, INVALID, INVALID]);
  });

  it('tries no frame that a buffer is too small for', async () => {
    const large = frame('XR24', 4096, 4096);
    const learned = await learn(
      display(() => 'EINVAL'),
      [large],
    );
    expect(learned.get('a')).toEqual({
      results: [{ reachable: true, source: 'trial:PRIME_FD_TO_HANDLE' }],
    });
  });

  it('takes nothing from a device that goes away meanwhile', async () => {
    const kernel = new FakeKernel({ drm: { card0: { name: 'some-gpu', imports: () => 'ENODEV' } } });
    const { drm } = kernel;
    using node = drm.open(join(tree.root, 'dev/card0'));
    kernel.fault = { at: 2, errno: 'ENODEV' };
    const learned = await tryOnDrm(drm, node.number, made, []);
    expect(kernel.calls.slice(0, 3)).toEqual(['card0 open', 'card0 importDmaBuf', 'card0 version']);
    expect(learned.get('a')).toEqual({ results: [], inconclusive: expect.any(String) as string });
  });
});
