import type { Account } from '../../dbus/accounts/account.js';
import type { Bus } from '../../dbus/connection/bus-types.js';
import type { Broker, Owner, BrokerEvents } from '../broker/broker-types.js';
import { later } from '../base/time.js';
import type { Log } from '../base/log.js';
import { NO_AUTHORITY } from './authority.js';
import { SignalEmitter } from './signal-emitter.js';
import { ChannelRoot } from './channel-root.js';
import { Channels } from './channels.js';
import { Credentials } from './credentials.js';
import { Dispatcher } from './dispatcher.js';
import { EVERYONE_ACTIVE, Logind } from './logind.js';
import { Router } from './router.js';
import {
  allocationObject,
  deviceObject,
  ObjectTree,
  partyObject,
  poolObject,
  RootObject,
  type BusObject,
  type ListedObject,
} from './objects.js';
import { Listings } from './listing.js';
import { Polkit } from './polkit.js';
import { releaseAbsentOwners, watchNames } from './name-watch.js';
import { Refusals } from './refusals.js';
import { Visibility, type Viewer } from './visibility.js';
import { brokerValues } from './views.js';
import { SubUids } from './sub-uids.js';
import { UnreadBytes } from './unread.js';
import { Subscribers } from './subscribers.js';
import { payerOf } from '../ledger/ledger-types.js';

/** Which bus the daemon was told to use; polkit is asked on the system bus alone. */
export type BusKind = 'system' | 'session' | 'address';

export interface ServeOptions {
  /** Version of the daemon (`package.json`). */
  readonly version: string;
  readonly logger: Log;
  /** Put before every path that is read (`--root`); empty for the machine itself. */
  readonly root: string;
  readonly busKind: BusKind;
  /** Which user a subordinate uid counts as, as last read; without it, every uid counts as itself. */
  readonly subUids?: SubUids;
}

export interface Server {
  /** Answers every further call with `Unavailable`, waits for those under way, and stops listening. */
  close(): Promise<void>;
}

/**
 * Puts the broker on the bus: from now on calls are answered, changes are announced, and a client that leaves is told
 * to the broker. Ask for the bus name after this.
 * @throws {BusCallError | BusTimeoutError | BusClosedError} the connection is of no use then
 */
export async function serve(bus: Bus, broker: Broker, options: ServeOptions): Promise<Server> {
  const { logger, root, version, busKind } = options;
  const clock = (): number => performance.now();
  const ending = new AbortController();
  const authority = busKind === 'system' ? new Polkit(bus, logger, ending.signal) : NO_AUTHORITY;
  const { subUids = new SubUids(root) } = options;
  const credentials = new Credentials(bus, root, subUids);
  const subscribers = new Subscribers();
  const visibility = new Visibility(authority);
  const channels = new Channels({
    bus,
    broker,
    log: logger,
    clock,
    changed: () => {
      following.totalsChanged();
    },
  });

  const rootObject = new RootObject(() => brokerValues(version, broker.totals(), channels.count));
  const objects = new ObjectTree(rootObject);
  const emitter = new SignalEmitter({
    bus,
    objects,
    logger,
    receivers: ({ owner: { bus: its, name, uid }, isPrivate }) => {
      const told = isPrivate === true ? [] : subscribers.of(uid);
      // A name of another bus, one that is gone, may be anybody's on this.
      return its === bus.id && credentials.has(name) ? new Set([name, ...told]) : told;
    },
  });
  const following = followBroker(objects, rootObject, emitter);
  broker.listen(following);
  broker.consult(busKind === 'session' ? EVERYONE_ACTIVE : new Logind(bus, logger, clock));
  for (const view of broker.devices()) objects.put(deviceObject(view));
  for (const view of broker.pools()) objects.put(poolObject(view));
  for (const view of broker.allocations()) objects.put(allocationObject(view));

  const isThere = (name: string): boolean => credentials.has(name);
  const listings = new Listings(clock);
  const listing = {
    listings,
    widened: async (caller: Owner): Promise<Viewer> => {
      await visibility.ask(caller, isThere);
      return visibility.of(caller);
    },
    listed: ({ name }: Owner, viewer: Viewer): void => {
      if (isThere(name)) subscribers.add(name, viewer);
      emitter.listed();
    },
  };
  const refusals = new Refusals(logger, clock);
  const routing = { broker, authority, listing, channels, root };
  const router = new Router({ ...routing, objects });
  const channelObjects = objects.below(new ChannelRoot(rootObject));
  const channelRouter = new Router({ ...routing, objects: channelObjects, overChannel: true });
  const { accounts } = broker;
  const ofSender = (name: string): Account | undefined => {
    const owner = credentials.known(name);
    return owner === undefined ? undefined : accounts.of(payerOf(owner));
  };
  const unread = new UnreadBytes({
    bus,
    accountOf: (name) => ofSender(name) ?? accounts.strangers,
    later,
    clock,
    end: ending.signal,
    lost: (name) => {
      logger.info({ event: 'client-not-reading', client: name }, 'a client does not read what it is sent');
      broker.ownerLeft(bus.id, name);
    },
  });
  const dispatcher = new Dispatcher({
    router,
    channelRouter,
    credentials,
    visibility,
    refusals,
    accounts,
    unread,
  });
  const nameWatch = await watchNames(bus, (name) => {
    credentials.forget(name);
    visibility.forget(name);
    refusals.forget(name);
    subscribers.remove(name);
    unread.forget(name);
    channels.ownerLeft(name);
    broker.ownerLeft(bus.id, name);
  });
  await releaseAbsentOwners(bus, broker);
  bus.handleCalls(
    (call) => {
      dispatcher.handle(call);
    },
    {
      strangers: accounts.strangers,
      progress: accounts.progress,
      ofSender,
      sent: (name, bytes) => {
        unread.sent(name, bytes);
      },
    },
  );
  return {
    close: async () => {
      ending.abort();
      await dispatcher.close(() => {
        broker.parties.shutDown();
      });
      await channels.close();
      refusals.close();
      emitter.close();
      await nameWatch[Symbol.asyncDispose]();
    },
  };
}

/** Keeps the objects as the broker says they are, and has every change announced. */
export function followBroker(objects: ObjectTree, root: RootObject, emitter: SignalEmitter): BrokerEvents {
  const put = (object: ListedObject): void => {
    const before = objects.put(object);
    if (before === undefined) emitter.added(object);
    else emitter.changed(object.path, before.values);
  };
  const remove = ({ path }: BusObject): void => {
    const object = objects.remove(path);
    if (object !== undefined) emitter.removed(object);
  };
  return {
    deviceAdded: (view) => {
      put(deviceObject(view));
    },
    deviceChanged: (view) => {
      put(deviceObject(view));
    },
    deviceRemoved: (view) => {
      remove(deviceObject(view));
    },
    poolAdded: (view) => {
      put(poolObject(view));
    },
    poolChanged: (view) => {
      put(poolObject(view));
    },
    poolRemoved: (view) => {
      remove(poolObject(view));
    },
    allocationAdded: (view) => {
      put(allocationObject(view));
    },
    allocationChanged: (view) => {
      put(allocationObject(view));
    },
    allocationRemoved: (view) => {
      remove(allocationObject(view));
    },
    partyAdded: (view) => {
      put(partyObject(view));
    },
    partyChanged: (view) => {
      put(partyObject(view));
    },
    partyRemoved: (view) => {
      remove(partyObject(view));
    },
    totalsChanged: () => {
      const before = root.outdate();
      if (before !== undefined) emitter.changed(root.path, () => before);
    },
  };
}
