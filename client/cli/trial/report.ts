import type { Step } from '../../../daemon/devices/probes/try-image.js';
import type { Use } from '../../../dbus/names.js';

/** Version of the report's form. */
export const REPORT_VERSION = 1;

/** What was decided for one image. */
export type Decided =
  | {
      readonly is: 'layout';
      /** Id of the heap. */
      readonly heap: string;
      readonly planes: readonly { readonly offset: number; readonly pitch: number }[];
      /** Bytes. */
      readonly size: number;
    }
  /** Each constraint of the smallest conflict, with its source. */
  | { readonly is: 'conflict'; readonly conflict: readonly string[] }
  /** Refused before a layout is decided. */
  | { readonly is: 'refused'; readonly code: string };

/** One image for one use of one device: what was decided, and what the kernel said. */
export interface Trial {
  readonly device: string;
  readonly use: Use;
  /** Fourcc without trailing spaces. */
  readonly format: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly decided: Decided;
  readonly kernel: readonly Step[];
  /** Whether the kernel also takes rows with nothing between them, where policy has more; no proof that they are shown well. */
  readonly takesTight?: boolean;
}

export type Verdict = 'agrees' | 'disagrees' | 'refused' | 'untried';

/** Whether the kernel takes what was decided. What was refused cannot be tried. */
export function verdictOf({ decided, kernel }: Trial): Verdict {
  if (decided.is !== 'layout') return 'refused';
  if (kernel.some(({ said }) => said === 'refused')) return 'disagrees';
  return kernel.some(({ said }) => said === 'accepted') ? 'agrees' : 'untried';
}

/** What `try --json` writes: everything that it takes to make a profile and a test of it. */
export interface TrialReport {
  readonly version: typeof REPORT_VERSION;
  /** When, in ISO 8601. */
  readonly at: string;
  /** The machine's hardware profile, a document of its own. */
  readonly profile: unknown;
  readonly trials: readonly (Trial & { readonly verdict: Verdict })[];
  /** What could not be tried at all, for a person. */
  readonly untried: readonly string[];
}
