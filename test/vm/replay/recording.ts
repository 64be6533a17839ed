import type { RecordedRequest } from './requests.js';

/** Name of the file in which a machine brings its recording to the host. */
export const REPLAY = 'replay.json';

/** A machine's hardware profile, and what its daemon said to each request there. */
export interface Recording {
  /** As `dmabrokerctl record` writes it. */
  readonly profile: string;
  readonly requests: readonly RecordedRequest[];
  readonly answers: readonly string[];
}
