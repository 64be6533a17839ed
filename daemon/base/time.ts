/** Runs something later; disposing takes that back. */
export type Later = (milliseconds: number, run: () => void) => Disposable;

export const pause = (milliseconds: number, later: Later): Promise<void> =>
  new Promise((resolve) => {
    later(milliseconds, resolve);
  });

/** Whether something settles in time. */
export const within = (milliseconds: number, done: Promise<void>, later: Later): Promise<boolean> =>
  new Promise((resolve) => {
    const timer = later(milliseconds, () => {
      resolve(false);
    });
    void done.then(() => {
      timer[Symbol.dispose]();
      resolve(true);
    });
  });

/** Milliseconds of a clock that only goes forward. */
export type Clock = () => number;

/** Node's own timers. */
export const later: Later = (milliseconds, run) => {
  const timer = setTimeout(run, milliseconds);
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
    },
  };
};
