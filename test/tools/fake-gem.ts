/** A GEM object of a fake card. */
export interface FakeGemObject {
  /** Bytes in the card's file. */
  readonly offset: bigint;
  readonly size: bigint;
  /** Handles, mappings and dma-bufs. */
  holders: number;
}

/** The GEM objects of one card, as the kernel keeps them: each has its offset until its last holder is gone. */
export class FakeGemObjects {
  readonly #living = new Set<FakeGemObject>();
  #next = 1n;

  /** Gives new objects, from now on, the offsets of the first ones. */
  reuseOffsets(): void {
    this.#next = 1n;
  }

  /** Makes an object that nothing holds yet. */
  create(size: bigint): FakeGemObject {
    const object = { offset: this.#next << 32n, size, holders: 0 };
    this.#next += 1n;
    this.#living.add(object);
    return object;
  }

  /** The object at an offset that has so many bytes. */
  at(offset: bigint, size: bigint): FakeGemObject | undefined {
    return [...this.#living].find((object) => object.offset === offset && size <= object.size);
  }

  hold(object: FakeGemObject): Disposable {
    object.holders += 1;
    return {
      [Symbol.dispose]: () => {
        object.holders -= 1;
        if (object.holders === 0) this.#living.delete(object);
      },
    };
  }
}
