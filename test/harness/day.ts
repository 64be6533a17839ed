/** A day's worth of requests for buffers of mixed sizes: what a desktop with a camera and a player may ask. */

export const DAY = {
  requests: 100_000,
  /** Requests until a stock knows what is asked. */
  start: 2000,
  /** Milliseconds between two requests. */
  pace: 864,
  /** Milliseconds that buffers are held, as a mean. */
  held: 30_000,
  /** Bytes of room for all of it, and of what lies ready. */
  limit: 1024n * 2n ** 20n,
  warm: 384n * 2n ** 20n,
  /** Of the requests after the start, those that are to be served from stock. */
  hits: 0.9,
} as const;

export interface DayRequest {
  /** Bytes of each buffer. */
  readonly size: bigint;
  /** From one buffer to a swap chain of four. */
  readonly count: number;
  /** Milliseconds of the day. */
  readonly held: number;
}

/** Pictures of ten sizes at four depths: 40 sizes from 19 KiB to 33 MB, the small ones first. */
const SIZES = [
  [160, 120],
  [320, 240],
  [640, 360],
  [640, 480],
  [1024, 768],
  [1280, 720],
  [1366, 768],
  [1920, 1080],
  [2560, 1440],
  [3840, 2160],
]
  .flatMap(([width = 0, height = 0]) => [1, 1.5, 2, 4].map((bytes) => BigInt(width * height * bytes)))
  .toSorted((a, b) => Number(a - b));

/** @param random numbers from 0 to below 1 */
export function* requestsOfDay(random: () => number, count: number): Generator<DayRequest> {
  const nextSize = zipf(random);
  for (let i = 0; i < count; i += 1)
    yield {
      size: SIZES[nextSize()] ?? 0n,
      count: 1 + Math.floor(random() * 4),
      held: -DAY.held * Math.log(1 - random()),
    };
}

/** Index of a size: the n-th is asked 1/n as often as the first. */
function zipf(random: () => number): () => number {
  const weights = SIZES.map((_, i) => 1 / (i + 1));
  const sum = weights.reduce((a, b) => a + b, 0);
  return () => {
    let left = random() * sum;
    return weights.findIndex((weight) => (left -= weight) < 0);
  };
}
