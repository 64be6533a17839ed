/** What a descriptor's name is made of: systemd takes all but `:` and control characters, and these are safe everywhere. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_';
/** Letters in a name: all names together come in one string of the environment, which has 128 KiB at most. */
const LENGTH = 3;

/**
 * Short names, one after the other, so that one that became free is not used again soon.
 * @param taken whether a name is in use
 */
export function newNames(taken: (name: string) => boolean): () => string {
  const all = LETTERS.length ** LENGTH;
  let next = 0;
  return () => {
    for (let tries = 0; tries < all; tries += 1) {
      const name = nameOf(next);
      next = (next + 1) % all;
      if (!taken(name)) return name;
    }
    throw new RangeError('every name is taken');
  };
}

function nameOf(index: number): string {
  let rest = index;
  let name = '';
  for (let i = 0; i < LENGTH; i += 1) {
    name += LETTERS[rest % LETTERS.length] ?? '';
    rest = Math.floor(rest / LETTERS.length);
  }
  return name;
}
