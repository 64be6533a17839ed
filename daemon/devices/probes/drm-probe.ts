import { LINEAR, MODIFIER_INVALID } from '../../constraints/constraint-types.js';
import type { DrmCalls } from '../../kernel/drm.js';
import type { Frame } from './frames.js';
import { accepted, failed, failureOf, giveBack, unlessGone, type Outcome } from './outcome.js';
import type { ProbeBuffer } from './probe-buffers.js';
import { resultsOf, type ProbeResults } from './result.js';

const IMPORT = 'PRIME_FD_TO_HANDLE';
const SHOW = 'ADDFB2';

/**
 * Imports each buffer into an open node, makes it a framebuffer where there are frames to try, and gives everything
 * back.
 * @param node open DRM node (borrowed) that is not master
 * @param frames empty for a device without a display
 * @returns what was learned, by heap id
 */
export async function tryOnDrm(
  drm: DrmCalls,
  node: number,
  buffers: readonly ProbeBuffer[],
  frames: readonly Frame[],
): Promise<ReadonlyMap<string, ProbeResults>> {
  const modifiers = frames.length > 0 && takesModifiers(drm, node);
  const drmProbe = new DrmProbe(drm, node, modifiers);
  const results = new Map<string, ProbeResults>();
  for (const buffer of buffers) {
    const fitting = frames.filter(({ size }) => size <= buffer.size);
    results.set(buffer.heap, await tryBuffer(drmProbe, buffer, fitting));
  }
  return results;
}

async function tryBuffer(
  drmProbe: DrmProbe,
  { dmaBuf }: ProbeBuffer,
  frames: readonly Frame[],
): Promise<ProbeResults> {
  const imported = await drmProbe.import(dmaBuf);
  if (typeof imported !== 'number') return resultsOf([{ uses: [], outcome: imported }]);
  try {
    if (frames.length === 0) return resultsOf([{ uses: [], outcome: accepted(IMPORT) }]);
    const shown = await drmProbe.show(imported, frames);
    // What was shown was imported too; what cannot be shown still is.
    const parts = shown.is === 'accepted' ? [] : [{ uses: [], outcome: accepted(IMPORT) }];
    return resultsOf([...parts, { uses: ['scanout'], outcome: shown }]);
  } finally {
    await drmProbe.close(imported);
  }
}

/** Imports buffers into an open node and makes them framebuffers, and gives back what it made. */
export class DrmProbe {
  readonly #drm: DrmCalls;
  readonly #node: number;
  readonly #modifiers: boolean;

  constructor(drm: DrmCalls, node: number, modifiers: boolean) {
    this.#drm = drm;
    this.#node = node;
    this.#modifiers = modifiers;
  }

  /** The handle, or why there is none. */
  async import(dmaBuf: number): Promise<number | Outcome> {
    try {
      return await this.#drm.importDmaBuf(this.#node, dmaBuf);
    } catch (error) {
      return this.#refusal(IMPORT, error);
    }
  }

  close(handle: number): Promise<void> {
    return giveBack(() => this.#drm.closeHandle(this.#node, handle));
  }

  /** Tries the frames until one is taken. When none is, the first tells why: it is what displays usually take. */
  async show(handle: number, frames: readonly Frame[]): Promise<Outcome> {
    const failures: Outcome[] = [];
    for (const frame of frames) {
      const outcome = await this.#showOne(handle, frame);
      if (outcome.is === 'accepted') return outcome;
      failures.push(outcome);
    }
    const [first] = failures;
    return failures.find(({ is }) => is === 'unclear') ?? first ?? accepted(IMPORT);
  }

  async #showOne(handle: number, { explicit, planes, ...frame }: Frame): Promise<Outcome> {
    try {
      const framebuffer = await this.#drm.addFramebuffer(this.#node, {
        ...frame,
        modifier: explicit && this.#modifiers ? LINEAR : MODIFIER_INVALID,
        planes: planes.map(({ offset, pitch }) => ({ handle, pitch, offset: Number(offset) })),
      });
      await giveBack(() => this.#drm.removeFramebuffer(this.#node, framebuffer));
      return accepted(SHOW);
    } catch (error) {
      return this.#refusal(SHOW, error);
    }
  }

  #refusal(call: string, error: unknown): Outcome {
    return unlessGone(failed(call, error), () => this.#drm.version(this.#node));
  }
}

/** Whether a framebuffer's modifier may be said. */
export function takesModifiers(drm: DrmCalls, node: number): boolean {
  try {
    return drm.capability(node, 'ADDFB2_MODIFIERS') !== 0n;
  } catch (error) {
    // Older drivers do not know the question.
    if (failureOf(error) === undefined) throw error;
    return false;
  }
}
