/** Runs something later; disposing takes that back. */
export type Later = (milliseconds: number, run: () => void) => Disposable;

/** Milliseconds of a clock that only goes forward. */
export type Clock = () => number;
