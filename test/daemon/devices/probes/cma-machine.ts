import { OwnedFd } from '../../../../dbus/owned-fd.js';
import { FakeHeap, fault } from '../../fake-heap.js';

/** A machine with CMA memory, of which some of its heaps take. */
export class CmaMachine {
  readonly total: bigint;
  readonly #tell: (free: bigint) => void;
  #free: bigint;

  /** @param tell told how much is free, whenever that changes */
  constructor(total: bigint, tell: (free: bigint) => void = () => undefined) {
    this.total = total;
    this.#free = total;
    this.#tell = tell;
    tell(total);
  }

  /** Bytes. */
  get free(): bigint {
    return this.#free;
  }

  set free(bytes: bigint) {
    this.#free = bytes;
    this.#tell(bytes);
  }

  heap(id: string, fromCma: boolean): CmaHeap {
    return new CmaHeap(id, fromCma ? this : undefined);
  }
}

/** Takes its buffers from a machine's CMA memory, or from elsewhere, and gives them back when they are closed. */
export class CmaHeap extends FakeHeap {
  /** Bytes of each buffer that it made. */
  readonly sizes: bigint[] = [];
  readonly #machine: CmaMachine | undefined;

  constructor(id: string, machine: CmaMachine | undefined) {
    super(id);
    this.#machine = machine;
  }

  override async allocate(size: bigint): Promise<OwnedFd> {
    const machine = this.#machine;
    if (machine === undefined) {
      this.sizes.push(size);
      return super.allocate(size);
    }
    if (machine.free < size) throw fault('ENOMEM');
    const made = await super.allocate(size);
    this.sizes.push(size);
    machine.free -= size;
    return new ReturningFd(made.release(), () => {
      machine.free += size;
    });
  }
}

class ReturningFd extends OwnedFd {
  readonly #onClose: () => void;

  constructor(fd: number, onClose: () => void) {
    super(fd);
    this.#onClose = onClose;
  }

  override close(): void {
    if (this.open) this.#onClose();
    super.close();
  }
}
