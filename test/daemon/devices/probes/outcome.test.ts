import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';

import { failed, giveBack, unlessGone } from '../../../../daemon/devices/probes/outcome.js';
import { KernelError, MORE_ERRNOS } from '../../../../daemon/kernel/errors.js';
import { DupError } from '../../../../dbus/owned-fd.js';
import { naming } from '../../../harness/naming.js';

const NUMBERS = { ...constants.errno, ...MORE_ERRNOS };
const error = (code: keyof typeof NUMBERS): KernelError => new KernelError('DRM_IOCTL_X', NUMBERS[code]);

describe('failed', () => {
  it.each(['ENODEV', 'EINVAL', 'EREMOTE', 'EOPNOTSUPP', 'ENOSYS', 'EFAULT', 'EIO', 'ENOTTY'] as const)(
    'takes %s for a refusal, and says so in its source',
    (code) => {
      expect(failed('PRIME_FD_TO_HANDLE', error(code))).toEqual({
        is: 'refused',
        source: `trial:PRIME_FD_TO_HANDLE:${code}`,
        code,
      });
    },
  );

  it.each([
    ...(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EINTR', 'EAGAIN', 'EBUSY', 'EACCES', 'EPERM'] as const),
  ])('takes %s for nothing', (code) => {
    expect(failed('QBUF', error(code))).toEqual({
      is: 'unclear',
      why: expect.stringMatching(naming('DRM_IOCTL_X', code)) as string,
    });
  });

  it('takes a lack of descriptors for nothing', () => {
    expect(failed('QBUF', new DupError(24)).is).toBe('unclear');
  });

  it('hands a mistake of the daemon on', () => {
    expect(() => failed('QBUF', new RangeError('mine'))).toThrow('mine');
  });
});

describe('unlessGone', () => {
  const refused = failed('PRIME_FD_TO_HANDLE', error('ENODEV'));

  it('believes a refusal of a device that is there', () => {
    expect(unlessGone(refused, () => 'here')).toBe(refused);
  });

  it('takes nothing from a device that was unplugged', () => {
    const gone = unlessGone(refused, () => {
      throw error('ENODEV');
    });
    expect(gone).toEqual({ is: 'unclear', why: expect.any(String) as string });
  });

  it('does not ask after another refusal', () => {
    const other = failed('PRIME_FD_TO_HANDLE', error('EINVAL'));
    expect(
      unlessGone(other, () => {
        throw new Error('asked');
      }),
    ).toBe(other);
  });

  it('hands a mistake of the daemon on', () => {
    expect(() =>
      unlessGone(refused, () => {
        throw new RangeError('mine');
      }),
    ).toThrow('mine');
  });
});

describe('giveBack', () => {
  it('bears that the kernel fails, and nothing else', async () => {
    await giveBack(() => Promise.reject(error('EIO')));
    await expect(giveBack(() => Promise.reject(new RangeError('mine')))).rejects.toThrow('mine');
  });
});
