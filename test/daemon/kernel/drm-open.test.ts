import { constants } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openDrmNode } from '../../../daemon/kernel/drm-calls.js';
import { KernelError } from '../../../daemon/kernel/errors.js';
import type { IoctlEdge } from '../../../daemon/kernel/ioctl.js';
import { openFds } from '../../harness/leaks.js';

type Errno = 'EINVAL' | 'EACCES' | 'ENOTTY' | 'ENODEV';

/** Calls, each with the file that it was made on. */
let calls: [call: string, file: string | undefined][];
const edge = (refusal?: Errno): IoctlEdge => ({
  now: ({ name }, fd) => {
    calls.push([name, openFds().get(fd)]);
    if (refusal !== undefined) throw new KernelError(name, constants.errno[refusal]);
    return 0;
  },
  offLoop: ({ name }) => Promise.reject(new Error(`${name} comes too late`)),
});

let before: ReadonlyMap<number, string>;
beforeEach(() => {
  calls = [];
  before = openFds();
});
afterEach(() => {
  expect([...openFds()]).toEqual([...before]);
});

describe('openDrmNode', () => {
  it('gives up being master of what it opened', () => {
    using node = openDrmNode(edge(), '/dev/null');
    expect(openFds().get(node.number)).toBe('/dev/null');
    expect(calls).toEqual([['DRM_IOCTL_DROP_MASTER', '/dev/null']]);
  });

  it.each(['EINVAL', 'EACCES', 'ENOTTY'] as const)('is content with not being master (%s)', (code) => {
    using node = openDrmNode(edge(code), '/dev/null');
    expect(node.open).toBe(true);
  });

  it('closes the node when it could not give up being master', () => {
    expect(() => openDrmNode(edge('ENODEV'), '/dev/null')).toThrow(
      expect.objectContaining({ code: 'ENODEV', call: 'DRM_IOCTL_DROP_MASTER' }) as Error,
    );
  });

  it('closes what is no device', () => {
    expect(() => openDrmNode(edge('ENOTTY'), '/proc/self/comm')).toThrow(
      expect.objectContaining({ code: 'ENODEV', call: 'open' }) as Error,
    );
  });

  it('says what cannot be opened', () => {
    expect(() => openDrmNode(edge(), '/nowhere/card0')).toThrow(
      expect.objectContaining({ code: 'ENOENT', call: 'open' }) as Error,
    );
    expect(calls).toEqual([]);
  });
});
