/** The smallest page of any kernel: no heap gives less, so that sizes closer than that are one. */
const STEP = 4096n;

/** The size under which a request of so many bytes finds what lies ready. */
export const wholeSteps = (bytes: bigint): bigint => ((bytes + STEP - 1n) / STEP) * STEP;
