import { openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { createDrmCalls, drmCalls } from '../../../daemon/kernel/drm-calls.js';
import * as structs from '../../../daemon/kernel/drm-structs.js';
import { KernelError } from '../../../daemon/kernel/errors.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { O_CLOEXEC } from '../../../daemon/kernel/open-node.js';
import { openFds } from '../../harness/leaks.js';
import { bytesOf, fakeEdge, giveArray, NODE } from './fake-edge.js';

describe('version and capabilities', () => {
  it('tells the name of the driver, and what it says of itself', () => {
    const give = (
      argument: Buffer,
      pointer: 'name' | 'desc',
      count: 'name_len' | 'desc_len',
      text: string,
    ): void => {
      giveArray(structs.version, argument, { pointer, count, rule: 'some' }, bytesOf(text));
      structs.version.write(argument, 0, count, Buffer.byteLength(text));
    };
    const edge = fakeEdge({
      DRM_IOCTL_VERSION(argument) {
        give(argument, 'name', 'name_len', 'vkms');
        give(argument, 'desc', 'desc_len', 'Virtual – Kernel Mode Setting');
        // The date that nobody asked for.
        structs.version.write(argument, 0, 'date_len', 8);
      },
    });
    expect(createDrmCalls(edge).version(NODE)).toEqual({
      name: 'vkms',
      description: 'Virtual – Kernel Mode Setting',
    });
  });

  it('asks for each capability by its number, and gives all 64 bits of the answer', () => {
    const edge = fakeEdge({
      DRM_IOCTL_GET_CAP(argument) {
        const asked = structs.getCap.readWide(argument, 0, 'capability');
        structs.getCap.write(argument, 0, 'value', 2n ** 63n + asked);
      },
    });
    const drm = createDrmCalls(edge);
    const numbers = (
      ['DUMB_BUFFER', 'PRIME', 'CURSOR_WIDTH', 'CURSOR_HEIGHT', 'ADDFB2_MODIFIERS'] as const
    ).map((name) => drm.capability(NODE, name) - 2n ** 63n);
    expect(numbers).toEqual([1n, 5n, 8n, 9n, 16n]);
  });
});

describe('buffers', () => {
  it('makes a dumb buffer on the thread pool', async () => {
    const edge = fakeEdge({
      DRM_IOCTL_MODE_CREATE_DUMB(argument) {
        const read = (member: 'width' | 'height' | 'bpp'): number =>
          structs.createDumb.read(argument, 0, member);
        const pitch = (read('width') * read('bpp')) / 8 + 64;
        structs.createDumb.write(argument, 0, 'handle', 9);
        structs.createDumb.write(argument, 0, 'pitch', pitch);
        structs.createDumb.write(argument, 0, 'size', 2n ** 60n + BigInt(pitch * read('height')));
      },
    });
    expect(await createDrmCalls(edge).createDumb(NODE, 100, 10, 32)).toEqual({
      handle: 9,
      pitch: 464,
      size: 2n ** 60n + 4640n,
    });
    expect(edge.log).toEqual(['DRM_IOCTL_MODE_CREATE_DUMB:pool']);
  });

  it('exports a handle as a descriptor that the caller owns', () => {
    const before = openFds();
    const edge = fakeEdge({
      DRM_IOCTL_PRIME_HANDLE_TO_FD(argument) {
        expect(structs.primeHandle.read(argument, 0, 'handle')).toBe(9);
        // O_RDWR is 2.
        expect(structs.primeHandle.read(argument, 0, 'flags')).toBe(O_CLOEXEC | 2);
        structs.primeHandle.write(argument, 0, 'fd', openSync('/dev/null', 'r'));
      },
    });
    {
      using dmaBuf = createDrmCalls(edge).exportHandle(NODE, 9);
      expect(openFds().get(dmaBuf.number)).toBe('/dev/null');
    }
    expect([...openFds()]).toEqual([...before]);
  });

  it('imports a descriptor, and gives handles and framebuffers back, all on the thread pool', async () => {
    const given: [string, number][] = [];
    const take = (name: string) => (argument: Buffer) => void given.push([name, argument.readUInt32LE(0)]);
    const edge = fakeEdge({
      DRM_IOCTL_PRIME_FD_TO_HANDLE(argument) {
        structs.primeHandle.write(argument, 0, 'handle', structs.primeHandle.read(argument, 0, 'fd') + 100);
      },
      DRM_IOCTL_GEM_CLOSE: take('close'),
      DRM_IOCTL_MODE_DESTROY_DUMB: take('destroy'),
      DRM_IOCTL_MODE_RMFB: take('remove'),
    });
    const drm = createDrmCalls(edge);
    expect(await drm.importDmaBuf(NODE, 12)).toBe(112);
    await drm.closeHandle(NODE, 1);
    await drm.destroyDumb(NODE, 2);
    await drm.removeFramebuffer(NODE, 3);
    expect(edge.log.filter((call) => !call.endsWith(':pool'))).toEqual([]);
    expect(given).toEqual([
      ['close', 1],
      ['destroy', 2],
      ['remove', 3],
    ]);
  });
});

describe('addFramebuffer', () => {
  const command = structs.framebufferCommand;
  const nv12 = {
    width: 640,
    height: 480,
    format: 'NV12',
    planes: [
      { handle: 5, pitch: 640, offset: 0 },
      { handle: 6, pitch: 704, offset: 307200 },
    ],
  };

  /** Everything that the driver was told. */
  async function told(modifier: bigint): Promise<Record<string, unknown>> {
    const seen: Record<string, unknown> = {};
    const edge = fakeEdge({
      DRM_IOCTL_MODE_ADDFB2(argument) {
        for (const member of ['width', 'height', 'pixel_format', 'flags'] as const)
          seen[member] = command.read(argument, 0, member);
        for (const member of ['handles', 'pitches', 'offsets'] as const)
          seen[member] = [0, 1, 2, 3].map((i) => command.read(argument, 0, member, i));
        seen['modifier'] = [0, 1, 2, 3].map((i) => command.readWide(argument, 0, 'modifier', i));
        command.write(argument, 0, 'fb_id', 42);
      },
    });
    expect(await createDrmCalls(edge).addFramebuffer(NODE, { ...nv12, modifier })).toBe(42);
    return seen;
  }

  it('says the layout of every plane, and nothing of planes that are not', async () => {
    expect(await told(0x0800_0000_0000_0001n)).toEqual({
      width: 640,
      height: 480,
      pixel_format: 0x3231564e,
      flags: 2,
      handles: [5, 6, 0, 0],
      pitches: [640, 704, 0, 0],
      offsets: [0, 307200, 0, 0],
      modifier: [0x0800_0000_0000_0001n, 0x0800_0000_0000_0001n, 0n, 0n],
    });
  });

  it('says no modifier where none is known', async () => {
    expect(await told(0x00ff_ffff_ffff_ffffn)).toMatchObject({ flags: 0, modifier: [0n, 0n, 0n, 0n] });
  });

  it('has no place for a fifth plane', async () => {
    const planes = Array.from({ length: 5 }, () => ({ handle: 1, pitch: 1, offset: 0 }));
    const edge = fakeEdge({});
    await expect(
      createDrmCalls(edge).addFramebuffer(NODE, { ...nv12, planes, modifier: 0n }),
    ).rejects.toThrow(RangeError);
    expect(edge.log).toEqual([]);
  });
});

describe('drmCalls', () => {
  it('says by errno that a file is no DRM node, whatever it is asked', async () => {
    using memfd = await memoryCalls.createMemfd('test', 4096n);
    const fd = memfd.number;
    const image = { width: 1, height: 1, format: 'XR24', modifier: 0n, planes: [] };
    const calls: Record<Exclude<keyof typeof drmCalls, 'open'>, () => unknown> = {
      version: () => drmCalls.version(fd),
      capability: () => drmCalls.capability(fd, 'PRIME'),
      showAllPlanes: () => {
        drmCalls.showAllPlanes(fd);
      },
      resources: () => drmCalls.resources(fd),
      connector: () => drmCalls.connector(fd, 1),
      encoderCrtc: () => drmCalls.encoderCrtc(fd, 1),
      crtcMode: () => drmCalls.crtcMode(fd, 1),
      planes: () => drmCalls.planes(fd),
      plane: () => drmCalls.plane(fd, 1),
      inFormats: () => drmCalls.inFormats(fd, 1),
      createDumb: () => drmCalls.createDumb(fd, 1, 1, 32),
      destroyDumb: () => drmCalls.destroyDumb(fd, 1),
      mapDumb: () => drmCalls.mapDumb(fd, 1),
      exportHandle: () => drmCalls.exportHandle(fd, 1),
      importDmaBuf: () => drmCalls.importDmaBuf(fd, fd),
      closeHandle: () => drmCalls.closeHandle(fd, 1),
      addFramebuffer: () => drmCalls.addFramebuffer(fd, image),
      removeFramebuffer: () => drmCalls.removeFramebuffer(fd, 1),
    };
    for (const [name, call] of Object.entries(calls)) {
      const error: unknown = await Promise.resolve()
        .then(call)
        .catch((reason: unknown) => reason);
      expect([name, error]).toEqual([name, expect.any(KernelError)]);
      expect(error).toMatchObject({ code: 'ENOTTY', call: expect.stringMatching(/^DRM_IOCTL_/) as string });
    }
  });
});
