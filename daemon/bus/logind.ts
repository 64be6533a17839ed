import { BusCallError, type Bus, type WireValue } from '../../dbus/connection/bus-types.js';
import { callOwner } from '../../dbus/connection/bus.js';
import type { Sessions } from '../broker/broker-types.js';
import type { WarningLog } from '../base/log.js';

/** Milliseconds for which an answer holds: a person who switches users does not notice. */
const ANSWER_VALID_MS = 1000;
/** Users whose answers are remembered. */
const MAX_USERS = 256;
/** Milliseconds for an answer; a request waits for it. */
const ANSWER_TIMEOUT_MS = 2000;

/** Answers for a user without any session. */
const NO_SESSION: readonly string[] = [
  'org.freedesktop.DBus.Error.UnknownObject',
  'org.freedesktop.login1.NoSuchUser',
];

interface Answer {
  readonly at: number;
  readonly isActive: Promise<boolean>;
}

/** Where everybody who can call has a session: on a session's own bus. */
export const EVERYONE_ACTIVE: Sessions = { isActive: () => true };

/** logind on the same bus (org.freedesktop.login1(5)). Where it does not answer, no user has a session. */
export class Logind implements Sessions {
  readonly #bus: Pick<Bus, 'call'>;
  readonly #logger: WarningLog;
  readonly #clock: () => number;
  /** By uid, the oldest first. */
  readonly #answers = new Map<number, Answer>();
  #hasSaid = false;

  /** @param clock milliseconds */
  constructor(bus: Pick<Bus, 'call'>, logger: WarningLog, clock: () => number) {
    this.#bus = bus;
    this.#logger = logger;
    this.#clock = clock;
  }

  isActive(uid: number): Promise<boolean> {
    const now = this.#clock();
    const known = this.#answers.get(uid);
    if (known !== undefined && now - known.at < ANSWER_VALID_MS) return known.isActive;
    const isActive = this.#ask(uid);
    this.#answers.delete(uid);
    this.#answers.set(uid, { at: now, isActive });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > MAX_USERS && oldest !== undefined) this.#answers.delete(oldest);
    return isActive;
  }

  async #ask(uid: number): Promise<boolean> {
    try {
      const { body } = await callOwner(this.#bus, {
        destination: 'org.freedesktop.login1',
        path: `/org/freedesktop/login1/user/_${uid}`,
        interface: 'org.freedesktop.DBus.Properties',
        member: 'Get',
        signature: 'ss',
        body: ['org.freedesktop.login1.User', 'State'],
        timeout: ANSWER_TIMEOUT_MS,
      });
      return stateIn(body) === 'active';
    } catch (error) {
      if (!(error instanceof BusCallError) || !NO_SESSION.includes(error.errorName)) this.#say(error);
      return false;
    }
  }

  #say(err: unknown): void {
    if (this.#hasSaid) return;
    this.#hasSaid = true;
    const text =
      'logind does not say who has an active session: memory for active sessions is for administrators only';
    this.#logger.warn({ event: 'logind-silent', err }, text);
  }
}

/** The value of a variant. */
function stateIn([variant]: readonly WireValue[]): WireValue | undefined {
  return typeof variant === 'object' && 'value' in variant ? variant.value : undefined;
}
