import type { IncomingCall } from '../../dbus/connection/bus-types.js';
import { ShareExceeded, type Account, type Accounts } from '../../dbus/accounts/account.js';
import { BrokerError, errorName } from '../../dbus/errors.js';
import type { Owner } from '../broker/broker-types.js';
import type { BoundMethod, Results, Revocable } from './binding.js';
import type { Credentials } from './credentials.js';
import { errorReply, StandardError } from './error-reply.js';
import type { Router } from './router.js';
import type { Refusals } from './refusals.js';
import type { UnreadBytes } from './unread.js';
import type { Visibility } from './visibility.js';
import { quote } from '../../dbus/quote.js';
import { STANDARD_ERRORS } from './standard-interfaces.js';
import { invalid } from './wire-values.js';
import { payerOf } from '../ledger/ledger-types.js';

export interface DispatcherOptions {
  readonly router: Router;
  /** For calls over a channel. */
  readonly channelRouter: Router;
  readonly credentials: Credentials;
  readonly visibility: Visibility;
  readonly refusals: Refusals;
  readonly accounts: Accounts;
  readonly unread: Pick<UnreadBytes, 'room'>;
}

const SHUTTING_DOWN = 'the service is shutting down; try again';

/** Answers calls: finds out who asks, finds the method, and sends what it gives or why it does not. */
export class Dispatcher {
  readonly #router: Router;
  readonly #channelRouter: Router;
  readonly #credentials: Credentials;
  readonly #visibility: Visibility;
  readonly #refusals: Refusals;
  readonly #accounts: Accounts;
  readonly #unread: Pick<UnreadBytes, 'room'>;
  readonly #underWay = new Set<Promise<void>>();
  #closing = false;

  constructor(options: DispatcherOptions) {
    const { router, channelRouter, credentials, visibility, refusals, accounts, unread } = options;
    this.#router = router;
    this.#channelRouter = channelRouter;
    this.#credentials = credentials;
    this.#visibility = visibility;
    this.#refusals = refusals;
    this.#accounts = accounts;
    this.#unread = unread;
  }

  /** Never throws, as `Bus.handleCalls` asks. */
  handle(call: IncomingCall): void {
    if (this.#closing) {
      call.error(errorName('Unavailable'), SHUTTING_DOWN);
      return;
    }
    try {
      this.#answer(call);
    } catch (error) {
      this.#refuse(call, error);
    }
  }

  /**
   * Refuses every further call, and waits for those under way.
   * @param closing called in between, to end what would wait for further calls
   */
  async close(closing: () => void): Promise<void> {
    this.#closing = true;
    closing();
    await Promise.all(this.#underWay);
  }

  /** At once, where nothing has to be waited for. */
  #answer(call: IncomingCall): void {
    // Before anything is waited for: they are the handler's only until it returns.
    const hasFds = call.fds.count > 0;
    const caller = this.#credentials.of(call.sender);
    if (caller instanceof Promise) {
      const introduced = this.#introduced(call, caller, hasFds);
      this.#follow(call, this.#accounts.strangers, introduced);
      call.holdFurther(introduced);
      return;
    }
    const account = this.#accounts.of(payerOf(caller));
    // What a channel's client does not read, the channel waits for.
    const room = call.overChannel ? undefined : this.#unread.room(account);
    if (room === undefined) this.#invoke(call, caller, account, hasFds);
    else {
      const waited = this.#onceRead(call, room, { caller, account }, hasFds);
      this.#follow(call, account, waited);
      call.holdFurther(waited);
    }
  }

  async #onceRead(
    call: IncomingCall,
    room: Promise<void>,
    { caller, account }: { readonly caller: Owner; readonly account: Account },
    hasFds: boolean,
  ): Promise<void> {
    await room;
    if (this.#closing) throw new BrokerError('Unavailable', SHUTTING_DOWN);
    if (this.#credentials.has(call.sender)) this.#invoke(call, caller, account, hasFds);
  }

  async #introduced(call: IncomingCall, credentials: Promise<Owner>, hasFds: boolean): Promise<void> {
    const caller = await asked(credentials);
    // The broker already knows that it left, so nothing done for it now would ever be released.
    if (this.#credentials.has(call.sender))
      this.#invoke(call, caller, this.#accounts.of(payerOf(caller)), hasFds);
  }

  #invoke(call: IncomingCall, caller: Owner, account: Account, hasFds: boolean): void {
    if (hasFds) throw invalid(call.member, 'descriptors', 'no method takes file descriptors');
    const viewer = this.#visibility.of(caller);
    const router = call.overChannel ? this.#channelRouter : this.#router;
    const method = router.method(call.path, call.interface, call.member, viewer);
    if (call.signature !== method.in)
      throw new StandardError(
        STANDARD_ERRORS.invalidArgs,
        `${call.member} takes "${method.in}", not ${quote(call.signature)}`,
      );
    const { underWay } = account.share;
    if (account.underWay >= underWay) throw new ShareExceeded(`${underWay} calls`);
    const outcome = method.handler({ caller, viewer, call });
    if (!(outcome instanceof Promise)) deliver(call, method, outcome);
    else
      this.#follow(
        call,
        account,
        outcome.then((late) => {
          deliver(call, method, late);
        }),
      );
  }

  /** Waits for what takes time, and answers with an error when it fails. */
  #follow(call: IncomingCall, account: Account, work: Promise<void>): void {
    account.underWay += 1;
    const followed = work
      .catch((error: unknown) => {
        this.#refuse(call, error);
      })
      .finally(() => {
        account.underWay -= 1;
        this.#underWay.delete(followed);
      });
    this.#underWay.add(followed);
  }

  #refuse(call: IncomingCall, error: unknown): void {
    const reply = errorReply(error);
    call.error(reply.name, reply.message, reply.details);
    // Whom the bus does not know, and who has left, was refused nothing.
    const caller = this.#credentials.known(call.sender);
    if (caller !== undefined) this.#refusals.tell(call, caller, error, reply);
  }
}

function deliver(call: IncomingCall, { out }: BoundMethod, outcome: Results | Revocable): void {
  if (isRevocable(outcome)) call.reply(out, outcome.results, outcome.undelivered, outcome.sent);
  else call.reply(out, outcome);
}

const isRevocable = (outcome: Results | Revocable): outcome is Revocable => 'results' in outcome;

async function asked(credentials: Promise<Owner>): Promise<Owner> {
  try {
    return await credentials;
  } catch (cause) {
    throw new BrokerError('Unavailable', 'the bus did not say who the caller is; try again', { cause });
  }
}
