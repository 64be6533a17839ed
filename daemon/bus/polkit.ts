import {
  BusCallError,
  BusTimeoutError,
  type Bus,
  type Reply,
  type WireValue,
} from '../../dbus/connection/bus-types.js';
import { callOwner } from '../../dbus/connection/bus.js';
import type { Owner } from '../broker/broker-types.js';
import type { WarningLog } from '../base/log.js';
import type { Action, Authority } from './authority.js';
import { entry } from './wire-out.js';
import { isList } from '../../dbus/wire-read.js';

const ALLOW_USER_INTERACTION = 1;
/** Milliseconds for polkit's own rules, and for a person to type a password. */
const ANSWER_TIMEOUT_MS = { alone: 25_000, withPerson: 120_000 } as const;

/** Answers of the bus when there is no polkit on this machine. */
const ABSENT = [
  'org.freedesktop.DBus.Error.ServiceUnknown',
  'org.freedesktop.DBus.Error.NameHasNoOwner',
] as const;

/** Questions at once, so that users who leave them unanswered do not fill what the bus lets us wait for. */
const MAX_QUESTIONS = { perUser: 4, together: 64 } as const;

/** polkit on the same bus. What it cannot answer is not allowed. */
export class Polkit implements Authority {
  readonly #bus: Pick<Bus, 'call'>;
  readonly #logger: WarningLog;
  readonly #ended: Promise<false>;
  /** Questions without an answer yet, so that a caller that repeats its call raises one dialogue. */
  readonly #asked = new Map<string, { readonly uid: number; readonly answer: Promise<boolean> }>();
  /** Number of the last question. */
  #last = 0;
  #hasSaid = false;

  /** @param end denies whatever polkit has not answered yet: a shutdown does not wait for a person */
  constructor(bus: Pick<Bus, 'call'>, logger: WarningLog, end: AbortSignal) {
    this.#bus = bus;
    this.#logger = logger;
    this.#ended = new Promise((resolve) => {
      const deny = (): void => {
        resolve(false);
      };
      end.addEventListener('abort', deny, { once: true });
    });
  }

  async allows(caller: Owner, action: Action, interactive: boolean): Promise<boolean> {
    const question = `${caller.name} ${action} ${interactive}`;
    const asked = this.#asked.get(question);
    if (asked !== undefined) return asked.answer;
    if (this.#isBusy(caller.uid)) return false;
    const answer = Promise.race([this.#ask(caller, action, interactive), this.#ended]).finally(() => {
      this.#asked.delete(question);
    });
    this.#asked.set(question, { uid: caller.uid, answer });
    return answer;
  }

  #isBusy(uid: number): boolean {
    const own = [...this.#asked.values()].filter((asked) => asked.uid === uid);
    return own.length >= MAX_QUESTIONS.perUser || this.#asked.size >= MAX_QUESTIONS.together;
  }

  async #ask({ name }: Owner, action: Action, interactive: boolean): Promise<boolean> {
    const subject = ['system-bus-name', [entry('name', 's', name)]];
    const flags = interactive ? ALLOW_USER_INTERACTION : 0;
    const question = String((this.#last += 1));
    try {
      const { body } = await this.#call(
        'CheckAuthorization',
        '(sa{sv})sa{ss}us',
        [subject, action, [], flags, question],
        interactive ? ANSWER_TIMEOUT_MS.withPerson : ANSWER_TIMEOUT_MS.alone,
      );
      return isAuthorized(body);
    } catch (error) {
      const absent = error instanceof BusCallError && ABSENT.some((known) => known === error.errorName);
      if (absent) this.#sayAbsent();
      else
        this.#logger.warn(
          { event: 'polkit-silent', err: error, action },
          'polkit did not answer; the call is refused',
        );
      if (error instanceof BusTimeoutError) this.#withdraw(question);
      return false;
    }
  }

  /** Takes a question back, so that no dialogue stays open for what was denied meanwhile. */
  #withdraw(question: string): void {
    // A polkit that does not answer this either has been logged already.
    this.#call('CancelCheckAuthorization', 's', [question], ANSWER_TIMEOUT_MS.alone).catch(() => undefined);
  }

  #call(member: string, signature: string, body: readonly WireValue[], timeout: number): Promise<Reply> {
    return callOwner(this.#bus, {
      destination: 'org.freedesktop.PolicyKit1',
      path: '/org/freedesktop/PolicyKit1/Authority',
      interface: 'org.freedesktop.PolicyKit1.Authority',
      member,
      signature,
      body,
      timeout,
    });
  }

  #sayAbsent(): void {
    if (this.#hasSaid) return;
    this.#hasSaid = true;
    this.#logger.warn(
      { event: 'polkit-absent' },
      'polkit is not on this bus: only uid 0 is an administrator',
    );
  }
}

/** The first of `(bba{ss})`. */
function isAuthorized([result]: readonly WireValue[]): boolean {
  return isList(result) && result[0] === true;
}
