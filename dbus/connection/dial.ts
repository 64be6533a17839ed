import { setTimeout as delay } from 'node:timers/promises';

import { closeAll } from '../owned-fd.js';
import type { BusSocket } from './address.js';
import { Handshake } from './handshake.js';
import { connectSocket, type MessageSocket } from './socket.js';
import { Transport } from './transport.js';
import { BusClosedError } from './bus-types.js';

/** Milliseconds between two attempts at a server whose queue of connections is full. */
const RETRY_DELAY_MS = 20;

/**
 * Connects to a server and authenticates, so that messages can follow.
 * @param signal gives up when it is aborted; its reason is thrown
 * @throws {SocketError | BusClosedError}
 */
export async function dial(target: BusSocket, signal: AbortSignal): Promise<Transport> {
  return authenticate(await connect(target, signal), target.guid, signal);
}

async function connect(target: BusSocket, signal: AbortSignal): Promise<MessageSocket> {
  for (;;) {
    const socket = connectSocket(target);
    if (socket !== 'busy') return socket;
    await delay(RETRY_DELAY_MS);
    signal.throwIfAborted();
  }
}

/** Authenticates on a connected socket, which it takes. @throws {BusClosedError} */
export async function authenticate(
  socket: MessageSocket,
  guid: string | undefined,
  signal: AbortSignal,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const handshake = new Handshake(guid);
    const giveUp = (): void => {
      transport.close(new BusClosedError('the server did not authenticate us', { cause: signal.reason }));
    };
    const transport = new Transport(socket, {
      received: (bytes, fds) => {
        try {
          closeAll(fds);
          const { send, done } = handshake.receive(bytes);
          transport.send({ bytes: Buffer.from(send, 'latin1'), fds: [] });
          if (done) settle();
        } catch (error) {
          transport.close(new BusClosedError('authentication failed', { cause: error }));
        }
        return false;
      },
      closed: (reason) => {
        signal.removeEventListener('abort', giveUp);
        reject(reason ?? new BusClosedError('the connection was closed'));
      },
    });
    const settle = (): void => {
      signal.removeEventListener('abort', giveUp);
      resolve(transport);
    };
    signal.addEventListener('abort', giveUp);
    transport.send({ bytes: Buffer.from(Handshake.OPENING, 'latin1'), fds: [] });
  });
}
