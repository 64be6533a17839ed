import { openSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openHeaps, profileHeap, type HeapSubject } from '../../../daemon/heaps/open.js';
import { KernelError } from '../../../daemon/kernel/errors.js';
import type { DrmCalls } from '../../../daemon/kernel/drm.js';
import type { Kernel } from '../../../daemon/kernel/kernel.js';
import { createKernel } from '../../../daemon/kernel/create.js';
import { OwnedFd } from '../../../dbus/owned-fd.js';
import { openFds } from '../../harness/leaks.js';

const PAGE = 4096n;
const ENODEV = 19;

/** A call of the kernel room that a heap makes on its way to a buffer. */
type Step = keyof Kernel['memory'] | 'createDumb' | 'exportHandle' | 'closeHandle' | 'open' | 'clear';

/**
 * A kernel with every kind of memory, for the calls that this machine's may lack: each descriptor is a real one. The
 * named step fails.
 */
class FaultyKernel {
  readonly made: string[] = [];
  readonly #fails: Step | undefined;

  constructor(fails?: Step) {
    this.#fails = fails;
  }

  kernel(): Kernel {
    const { memory, dmaBuf, drm, ...others } = createKernel();
    const dumb: Pick<DrmCalls, 'open' | 'createDumb' | 'exportHandle' | 'closeHandle'> = {
      createDumb: (_node, width, height, bits) =>
        this.#async('createDumb', () => ({
          handle: 1,
          pitch: (width * bits) / 8,
          size: BigInt(width * height * bits) / 8n,
        })),
      exportHandle: () => this.#step('exportHandle', anyFile),
      closeHandle: () => this.#async('closeHandle', () => undefined),
      open: (path) => this.#step('open', () => (this.made.push(path), anyFile())),
    };
    return {
      memory: {
        openNode: (path) => this.#step('openNode', () => (this.made.push(path), anyFile())),
        createMemfd: async (name, size) => {
          this.#step('createMemfd', () => this.made.push(`memfd ${size}`));
          return memory.createMemfd(name, size);
        },
        allocateDmaHeap: (_heap, size) =>
          this.#async('allocateDmaHeap', () => (this.made.push(`heap ${size}`), anyFile())),
        createUdmabuf: (_node, _memfd, size) =>
          this.#async('createUdmabuf', () => (this.made.push(`udmabuf ${size}`), anyFile())),
        map: (fd, offset, size) => memory.map(fd, offset, size),
        reopen: (fd, purpose) => this.#step('reopen', () => memory.reopen(fd, purpose)),
        isOpenElsewhere: (fd) => memory.isOpenElsewhere(fd),
        freePages: (fd, size) => memory.freePages(fd, size),
      },
      dmaBuf: {
        ...dmaBuf,
        clear: () =>
          this.#async('clear', () => {
            this.made.push('clear');
          }),
      },
      drm: { ...drm, ...dumb },
      ...others,
    };
  }

  #step<T>(name: Step, work: () => T): T {
    if (this.#fails === name) throw new KernelError(name, ENODEV);
    return work();
  }

  async #async<T>(name: Step, work: () => T): Promise<T> {
    await Promise.resolve();
    return this.#step(name, work);
  }
}

const anyFile = (): OwnedFd => new OwnedFd(openSync('/dev/null', 'r+'));

const subject = (kind: HeapSubject['kind'], node?: string): HeapSubject => ({
  id: kind,
  kind,
  usable: true,
  ...(node !== undefined && { node }),
});

const ALL = [
  subject('memfd'),
  subject('dma-heap', '/dev/dma_heap/system'),
  subject('udmabuf', '/dev/udmabuf'),
  subject('drm-dumb', '/dev/dri/card0'),
];

const STEPS: readonly (readonly [HeapSubject['kind'], readonly Step[]])[] = [
  ['memfd', ['createMemfd', 'reopen']],
  ['dma-heap', ['allocateDmaHeap']],
  ['udmabuf', ['createMemfd', 'createUdmabuf']],
  ['drm-dumb', ['open', 'createDumb', 'exportHandle', 'closeHandle', 'clear']],
];

describe('heaps', () => {
  let before: ReadonlyMap<number, string>;
  beforeEach(() => {
    before = openFds();
  });
  afterEach(() => {
    expect([...openFds()]).toEqual([...before]);
  });

  it.each(ALL.map(({ kind }) => kind))('%s makes a buffer, and leaves no other descriptor', async (kind) => {
    const { heaps } = openHeaps(ALL, { kernel: new FaultyKernel().kernel(), root: '', pageSize: PAGE });
    const heap = heaps.find(({ id }) => id === kind);
    const opened = openFds().size;
    using _buffer = await heap?.allocate(5000n);
    expect(openFds().size).toBe(opened + 1);
    for (const each of heaps) each.close();
  });

  it.each(STEPS.flatMap(([kind, steps]) => steps.map((step) => ({ kind, step }))))(
    '$kind leaves nothing behind when $step fails',
    async ({ kind, step }) => {
      // Opening works, so that it is the allocation that fails.
      const works = new FaultyKernel().kernel();
      const faulty = new FaultyKernel(step).kernel();
      const kernel: Kernel = { ...faulty, memory: { ...faulty.memory } };
      let opening = true;
      kernel.memory.openNode = (path) => (opening ? works : faulty).memory.openNode(path);
      const { heaps } = openHeaps(
        ALL.filter((each) => each.kind === kind),
        { kernel, root: '', pageSize: PAGE },
      );
      opening = false;
      const opened = openFds().size;
      await expect(heaps[0]?.allocate(5000n)).rejects.toMatchObject({ code: 'ENODEV', call: step });
      expect(openFds().size).toBe(opened);
      for (const heap of heaps) heap.close();
    },
  );

  it('asks for whole pages where the kernel wants them', async () => {
    const faulty = new FaultyKernel();
    const { heaps } = openHeaps([subject('memfd'), subject('udmabuf', '/dev/udmabuf')], {
      kernel: faulty.kernel(),
      root: '',
      pageSize: 16_384n,
    });
    for (const heap of heaps) (await heap.allocate(16_385n)).close();
    expect(faulty.made).toEqual(['/dev/udmabuf', 'memfd 32768', 'memfd 32768', 'udmabuf 32768']);
    for (const heap of heaps) heap.close();
  });

  it('refuses a dumb buffer that is smaller than asked', async () => {
    const kernel = new FaultyKernel().kernel();
    const small: Kernel = {
      ...kernel,
      drm: { ...kernel.drm, createDumb: () => Promise.resolve({ handle: 1, pitch: 4096, size: 4096n }) },
    };
    const { heaps } = openHeaps([subject('drm-dumb', '/dev/dri/card0')], {
      kernel: small,
      root: '',
      pageSize: PAGE,
    });
    await expect(heaps[0]?.allocate(4097n)).rejects.toMatchObject({ code: 'ENOMEM' });
  });

  it('clears what a driver hands out, because it need not', async () => {
    const faulty = new FaultyKernel();
    const { heaps } = openHeaps([subject('drm-dumb', '/dev/dri/card0')], {
      kernel: faulty.kernel(),
      root: '',
      pageSize: PAGE,
    });
    using _buffer = await heaps[0]?.allocate(PAGE);
    expect(faulty.made).toEqual(['/dev/dri/card0', 'clear']);
  });

  it.each(ALL.map(({ kind }) => kind))('%s has no buffer beyond what can be counted', async (kind) => {
    const { memory, ...rest } = new FaultyKernel().kernel();
    const real = createKernel().memory;
    const { heaps } = openHeaps(
      ALL.filter((each) => each.kind === kind),
      {
        kernel: { ...rest, memory: { ...real, openNode: (path) => memory.openNode(path) } },
        root: '',
        pageSize: PAGE,
      },
    );
    for (const heap of heaps) {
      await expect(heap.allocate(2n ** 64n + PAGE)).rejects.toMatchObject({
        name: 'KernelError',
        code: 'ENOMEM',
      });
      heap.close();
    }
  });

  it('opens nodes under the root, and says of the rest why not', () => {
    const faulty = new FaultyKernel();
    const { heaps, refused } = openHeaps(
      [...ALL, { ...subject('dma-heap'), id: 'other', usable: false, unusable: 'policy says no' }],
      { kernel: faulty.kernel(), root: '/image', pageSize: PAGE },
    );
    expect(heaps.map(({ id }) => id)).toEqual(['memfd', 'dma-heap', 'udmabuf', 'drm-dumb']);
    expect(faulty.made).toEqual(['/image/dev/dma_heap/system', '/image/dev/udmabuf']);
    expect(refused).toEqual([{ id: 'other', reason: 'policy says no' }]);
    for (const heap of heaps) heap.close();

    const closed = openHeaps(ALL, {
      kernel: new FaultyKernel('openNode').kernel(),
      root: '',
      pageSize: PAGE,
    });
    expect(closed.heaps.map(({ id }) => id)).toEqual(['memfd', 'drm-dumb']);
    expect(closed.refused.map(({ id }) => id)).toEqual(['dma-heap', 'udmabuf']);
    expect(closed.refused[0]?.reason).toContain('ENODEV');
  });

  it('puts plain memory behind a heap of another machine', async () => {
    const heap = profileHeap({ id: 'dma-heap:vidbuf' }, { kernel: createKernel(), pageSize: PAGE });
    expect([heap.id, heap.countsReferences]).toEqual(['dma-heap:vidbuf', false]);
    using _buffer = await heap.allocate(1n);
    heap.close();
  });
});
