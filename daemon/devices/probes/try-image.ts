import { LINEAR, type PlaneLayout } from '../../constraints/constraint-types.js';
import type { DrmCalls } from '../../kernel/drm.js';
import type { V4l2Calls, V4l2Image } from '../../kernel/v4l2.js';
import { findV4l2Format } from '../v4l2-formats.js';
import type { ImageQueue } from '../v4l2-uses.js';
import { DrmProbe, takesModifiers } from './drm-probe.js';
import { accepted, failed, failureOf, giveBack, type Outcome } from './outcome.js';

/** An image as it was decided, in a buffer. */
export interface DecidedImage {
  /** Fourcc with its trailing spaces. */
  readonly format: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly planes: readonly PlaneLayout[];
  /** Bytes. */
  readonly size: bigint;
}

/** What the kernel said to one call. */
export interface Step {
  /** As sources name it: `PRIME_FD_TO_HANDLE`. */
  readonly call: string;
  readonly said: 'accepted' | 'refused' | 'untried';
  /** Why not; an errno where the kernel gave one. */
  readonly why?: string;
}

export const untried = (call: string, why: string): Step => ({ call, said: 'untried', why });

function stepOf(call: string, outcome: Outcome): Step {
  if (outcome.is === 'accepted') return { call, said: 'accepted' };
  return outcome.is === 'refused' ? { call, said: 'refused', why: outcome.code } : untried(call, outcome.why);
}

const IMPORT = 'PRIME_FD_TO_HANDLE';
const SHOW = 'ADDFB2';

/**
 * Imports a buffer into a DRM node and, where an image is given, makes it a framebuffer. Nothing is shown, and everything is
 * given back.
 * @param node open DRM node that is not master; the buffer and it are borrowed
 * @param tight the same image with no more between its rows than it must have, to learn whether that would do as well
 */
export async function tryOnCard(
  drm: DrmCalls,
  node: number,
  dmaBuf: number,
  image?: DecidedImage & { readonly explicit: boolean },
  tight?: readonly PlaneLayout[],
): Promise<{ readonly steps: readonly Step[]; readonly takesTight?: boolean }> {
  const probe = new DrmProbe(drm, node, takesModifiers(drm, node));
  const handle = await probe.import(dmaBuf);
  if (typeof handle !== 'number') return { steps: [stepOf(IMPORT, handle)] };
  try {
    const imported = stepOf(IMPORT, accepted(IMPORT));
    if (image === undefined) return { steps: [imported] };
    const shown = stepOf(SHOW, await probe.show(handle, [image]));
    const steps = [imported, shown];
    if (tight === undefined || shown.said !== 'accepted') return { steps };
    const other = await probe.show(handle, [{ ...image, planes: tight }]);
    return { steps, takesTight: other.is === 'accepted' };
  } finally {
    await probe.close(handle);
  }
}

/**
 * What a queue's driver makes of an image: whether it keeps the pitch and has room in the buffer (VIDIOC_TRY_FMT, which
 * changes nothing) and, with `mayQueue`, whether it takes the buffer (VIDIOC_QBUF). The queue's format is set back.
 * @param node open V4L2 node (borrowed, like the buffer)
 * @param mayQueue whether setting a format and taking the queue disturbs no other process
 */
export async function tryOnQueue(
  v4l2: V4l2Calls,
  node: number,
  { queue, formats }: ImageQueue,
  image: DecidedImage,
  { dmaBuf, mayQueue }: { readonly dmaBuf: number; readonly mayQueue: boolean },
): Promise<readonly Step[]> {
  const known = formats
    .map(({ fourcc }) => findV4l2Format(fourcc))
    .find((each) => each?.drm === image.format && each.modifier === LINEAR && each.buffers === 1);
  if (known === undefined) return [untried('TRY_FMT', 'one buffer for each plane')];
  const [first] = image.planes;
  const { width, height } = image;
  const wish = { fourcc: known.v4l2, width, height, bytesPerLine: first?.pitch ?? 0 };
  const answer = await ask('TRY_FMT', () => v4l2.tryFormat(node, queue, wish));
  if ('said' in answer) return [answer];
  const tried = compare('TRY_FMT', image, answer);
  if (tried.said !== 'accepted') return [tried];
  if (!mayQueue) return [tried, untried('QBUF', 'it could disturb a camera in use')];
  const before = await ask('G_FMT', () => v4l2.getFormat(node, queue));
  const set = await ask('S_FMT', () => v4l2.setFormat(node, queue, wish));
  if ('said' in set) return [tried, set];
  try {
    const fits = compare('S_FMT', image, set);
    if (fits.said !== 'accepted') return [tried, fits];
    const length = Number(image.size);
    const planes = set.planes.map(({ size }) => ({ dmaBuf, length, bytesUsed: size }));
    return [tried, ...(await tryQueueing(v4l2, node, queue, planes))];
  } finally {
    if (!('said' in before))
      await giveBack(() => v4l2.setFormat(node, queue, { ...before, bytesPerLine: pitchOf(before) }));
  }
}

async function tryQueueing(
  v4l2: V4l2Calls,
  node: number,
  queue: ImageQueue['queue'],
  planes: Parameters<V4l2Calls['queueDmaBufs']>[3],
): Promise<readonly Step[]> {
  const places = await ask('REQBUFS', () => v4l2.requestBuffers(node, queue, 1));
  if (typeof places !== 'number') return [places];
  try {
    const queued = await ask('QBUF', () => v4l2.queueDmaBufs(node, queue, 0, planes));
    return [queued ?? stepOf('QBUF', accepted('QBUF'))];
  } finally {
    await giveBack(() => v4l2.requestBuffers(node, queue, 0));
  }
}

/** The answer, or the step that failed. */
async function ask<T>(call: string, question: () => Promise<T>): Promise<T | Step> {
  try {
    return await question();
  } catch (error) {
    if (failureOf(error) === undefined) throw error;
    return stepOf(call, failed(call, error));
  }
}

/** Whether the driver's image is the one that was decided, and fits into its buffer. */
function compare(call: string, image: DecidedImage, answer: V4l2Image): Step {
  const { width, height } = answer;
  if (width !== image.width || height !== image.height)
    return untried(call, `the driver makes it ${width} × ${height}`);
  const pitch = pitchOf(answer);
  const [first] = image.planes;
  if (pitch !== first?.pitch) return { call, said: 'refused', why: `its pitch is ${pitch}` };
  const size = answer.planes.reduce((sum, plane) => sum + plane.size, 0);
  if (BigInt(size) > image.size) return { call, said: 'refused', why: `it needs ${size} bytes` };
  return { call, said: 'accepted' };
}

const pitchOf = ({ planes: [first] }: V4l2Image): number => first?.bytesPerLine ?? 0;
