import { closeAll, type OwnedFd } from '../owned-fd.js';
import type { Packet } from './message-writer.js';

/** Sends bytes and, with the first of them, fds. Returns how many bytes went, or why none did. */
export type Send = (bytes: Buffer, fds: readonly OwnedFd[]) => number | 'blocked' | 'exhausted';

/**
 * Messages on their way out, in order. A message's fds are kept until its first byte has gone, because they go with
 * that byte, and are closed then.
 */
export class SendQueue {
  readonly #packets: { -readonly [Key in keyof Packet]: Packet[Key] }[] = [];
  #bytes = 0;
  #fds = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that wait, but for those of the message that is next. */
  get bytesBehindFirst(): number {
    return this.#bytes - (this.#packets[0]?.bytes.length ?? 0);
  }

  /** Fds that wait, and are open. */
  get fds(): number {
    return this.#fds;
  }

  /** Takes the fds, and a copy of the bytes. */
  push({ bytes, fds, dropped, sent }: Packet): void {
    this.#packets.push({ bytes: Buffer.from(bytes), fds, dropped, sent });
    this.#bytes += bytes.length;
    this.#fds += fds.length;
  }

  /** Sends a packet before which nothing waits, and takes its fds. What of it does not go at once waits. */
  pass(packet: Packet, send: Send): 'empty' | 'blocked' | 'exhausted' {
    const { bytes, fds } = packet;
    let count: ReturnType<Send>;
    try {
      count = send(bytes, fds);
    } catch (error) {
      this.push(packet);
      throw error;
    }
    if (typeof count === 'string') {
      this.push(packet);
      return count;
    }
    const isSent = count === bytes.length;
    if (!isSent) this.push({ ...packet, bytes: bytes.subarray(count), fds: [] });
    closeAll(fds);
    if (isSent) packet.sent?.();
    return this.#packets.length === 0 ? 'empty' : this.flush(send);
  }

  /** Sends until everything has gone, or no more goes. What `send` throws goes to the caller, and nothing is lost. */
  flush(send: Send): 'empty' | 'blocked' | 'exhausted' {
    for (let packet = this.#packets[0]; packet !== undefined; packet = this.#packets[0]) {
      const sent = send(packet.bytes, packet.fds);
      if (typeof sent === 'string') return sent;
      const { fds } = packet;
      this.#bytes -= sent;
      this.#fds -= fds.length;
      packet.fds = [];
      packet.bytes = packet.bytes.subarray(sent);
      const isSent = packet.bytes.length === 0;
      if (isSent) this.#packets.shift();
      closeAll(fds);
      if (isSent) packet.sent?.();
    }
    return 'empty';
  }

  /** Gives up everything that waits, and closes its fds. */
  clear(): void {
    const packets = this.#packets.splice(0);
    this.#bytes = 0;
    this.#fds = 0;
    for (const packet of packets) packet.dropped?.();
    closeAll(packets.flatMap((packet) => packet.fds));
  }
}
