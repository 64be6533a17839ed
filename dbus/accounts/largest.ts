/** Members that are compared before one is taken for the largest. */
const MOST_COMPARED = 16;

/**
 * Finds what holds the most memory in a time that does not grow with how many there are. Where more than sixteen hold
 * between one power of two and the next, it finds one of these, which has at least half of what the largest has.
 */
export class Largest<T extends object> {
  readonly #sizes = new Map<T, number>();
  /** By the power of two that the size reaches. */
  readonly #classes: Set<T>[] = [];

  /** @param bytes of memory that it holds from now on; 0 takes it out */
  set(member: T, bytes: number): void {
    const before = this.#sizes.get(member) ?? 0;
    if (before > 0) this.#class(before).delete(member);
    if (bytes > 0) {
      this.#sizes.set(member, bytes);
      this.#class(bytes).add(member);
    } else this.#sizes.delete(member);
  }

  find(): T | undefined {
    const members = this.#classes.findLast(({ size }) => size > 0);
    if (members === undefined) return undefined;
    let largest: T | undefined;
    let most = 0;
    let compared = 0;
    for (const member of members) {
      const bytes = this.#sizes.get(member) ?? 0;
      if (bytes > most) [largest, most] = [member, bytes];
      if (++compared === MOST_COMPARED) break;
    }
    return largest;
  }

  #class(bytes: number): Set<T> {
    const power = 31 - Math.clz32(bytes);
    while (this.#classes.length <= power) this.#classes.push(new Set());
    const found = this.#classes[power];
    if (found === undefined) throw new RangeError(`no size: ${bytes}`);
    return found;
  }
}
