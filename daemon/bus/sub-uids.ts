import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ADMINISTRATOR_UID } from '../../dbus/names.js';

/** User ids that a user may use for processes of its own, as subuid(5) gives them. */
interface Range {
  readonly first: number;
  /** One behind the last. */
  readonly end: number;
  /** The user that they count as. */
  readonly owner: number;
}

/**
 * Maps subordinate uids to their user: the ids that /etc/subuid gives a user for its containers count as that user, which
 * could otherwise have the quotas of 65,536 users.
 */
export class SubUids {
  readonly #root: string;
  #ranges: readonly Range[] = [];

  /** @param root put before `/etc` */
  constructor(root: string) {
    this.#root = root;
  }

  /** Reads the files again; what cannot be read gives no ranges. */
  async read(): Promise<void> {
    const text = async (path: string): Promise<string> =>
      readFile(join(this.#root, path), 'utf8').catch(() => '');
    this.#ranges = rangesIn(await text('/etc/subuid'), await text('/etc/passwd'));
  }

  /** The user that a process of this one counts as. */
  payerOf(uid: number): number {
    return this.#ranges.find(({ first, end }) => first <= uid && uid < end)?.owner ?? uid;
  }
}

/** The ranges of a subuid(5) file, whose users are names of a passwd(5) file or numbers. uid 0 is in none. */
export function rangesIn(subuid: string, passwd: string): readonly Range[] {
  const users = new Map(
    passwd.split('\n').map((line) => {
      const [name = '', , uid = ''] = line.split(':');
      return [name, uid] as const;
    }),
  );
  return subuid.split('\n').flatMap((line) => {
    const [user = '', start = '', count = ''] = line.trim().split(':');
    const numbers = [users.get(user) ?? user, start, count];
    if (!numbers.every((text) => /^\d{1,10}$/.test(text))) return [];
    const [owner = 0, first = 0, size = 0] = numbers.map(Number);
    if (first === 0) return [];
    // Containers that root makes count together, and have none of what root alone may do.
    const payer = owner === ADMINISTRATOR_UID ? first : owner;
    return [{ first, end: first + size, owner: payer }];
  });
}
