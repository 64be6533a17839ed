import type { Later } from './pools/time.js';

/** Node's own timers. */
export const later: Later = (milliseconds, run) => {
  const timer = setTimeout(run, milliseconds);
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
    },
  };
};
