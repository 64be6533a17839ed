import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { getCredentials } from '../../dbus/connection/bus.js';
import type { Bus } from '../../dbus/connection/bus-types.js';
import type { Owner } from '../broker/broker-types.js';
import { SubUids } from './sub-uids.js';
import { userName, groupNames } from './user-name.js';

/**
 * Who is behind each connection that called, asked of the bus once and kept for as long as the connection is there: a
 * question costs up to 1.3 ms.
 */
export class Credentials {
  readonly #bus: Bus;
  readonly #root: string;
  readonly #subUids: SubUids;
  readonly #cache = new Map<string, Owner | Promise<Owner>>();

  /** @param root put before `/proc` and `/etc` */
  constructor(bus: Bus, root: string, subUids = new SubUids(root)) {
    this.#bus = bus;
    this.#root = root;
    this.#subUids = subUids;
  }

  /**
   * At once when it is known.
   * @throws {BusCallError | BusTimeoutError | BusClosedError} through the promise; BusCallError when it left
   */
  of(name: string): Owner | Promise<Owner> {
    const known = this.#cache.get(name);
    if (known !== undefined) return known;
    const asked = this.#ask(name);
    this.#cache.set(name, asked);
    return asked;
  }

  /** Whether this connection has called, and is still there. */
  has(name: string): boolean {
    return this.#cache.has(name);
  }

  /** Who it is, when that was found out and it is still there. */
  known(name: string): Owner | undefined {
    const known = this.#cache.get(name);
    return known instanceof Promise ? undefined : known;
  }

  /** The connection has left. */
  forget(name: string): void {
    this.#cache.delete(name);
  }

  async #ask(name: string): Promise<Owner> {
    try {
      const { uid, gids, pid } = await getCredentials(this.#bus, name);
      const [user, groups, unit] = await Promise.all([
        userName(uid, this.#root),
        groupNames(gids, this.#root),
        pid === undefined ? '' : unitOf(pid, uid, this.#root),
      ]);
      const payer = this.#subUids.payerOf(uid);
      const owner = {
        bus: this.#bus.id,
        name,
        uid,
        ...(payer !== uid && { payer }),
        ...(user !== undefined && { user }),
        groups,
        unit,
      };
      // It may have left while its unit was read; then it must not be remembered.
      if (this.#cache.has(name)) this.#cache.set(name, owner);
      return owner;
    } catch (error) {
      this.#cache.delete(name);
      throw error;
    }
  }
}

/**
 * The systemd unit of a user's process, for a person. Empty when there is none to be seen, and when the pid is another
 * user's by now; that it became another of the same user cannot be told.
 * @param root put before `/proc`
 */
export async function unitOf(pid: number, uid: number, root: string): Promise<string> {
  const directory = join(root, '/proc', String(pid));
  try {
    const unit = unitOfCgroup(await readFile(join(directory, 'cgroup'), 'utf8'));
    const [, uids = ''] = /^Uid:(.*)$/m.exec(await readFile(join(directory, 'status'), 'utf8')) ?? [];
    return uids.trim().split(/\s+/).includes(String(uid)) ? unit : '';
  } catch {
    return '';
  }
}

/** Longest unit name that systemd takes, in bytes. */
const MAX_UNIT_BYTES = 255;

const isUnit = (part: string): boolean =>
  part.length <= MAX_UNIT_BYTES && /^[A-Za-z0-9:_.\\@-]+\.(?:service|scope)$/.test(part);

/**
 * The unit in the text of `/proc/PID/cgroup` (cgroups(7)): the first one on the way down, and of a user's manager the
 * first one in it. What lies deeper is the unit's own to name, a container's insides for instance.
 */
export function unitOfCgroup(text: string): string {
  const line = text.split('\n').find((candidate) => candidate.startsWith('0::')) ?? '';
  const [first = '', second] = line.slice('0::'.length).split('/').filter(isUnit);
  return /^user@[0-9]+\.service$/.test(first) ? (second ?? first) : first;
}
