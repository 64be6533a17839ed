#!/usr/bin/env node
import { EventEmitter, once } from 'node:events';

import { busAddress, connectBus, requestName } from '../dbus/connection/bus.js';
import type { Bus } from '../dbus/connection/bus-types.js';
import { SHIPPED_POLICY, VERSION } from '../dbus/installed.js';
import { BUS_NAME } from '../dbus/names.js';
import { createBroker, type ClosableBroker } from './broker/broker.js';
import { SubUids } from './bus/sub-uids.js';
import { serve } from './bus/server.js';
import { checkReport } from './service/check.js';
import { refusalTexts } from './service/follower.js';
import { A_SUCCESSOR_ASKED } from './service/handover.js';
import { openHardware, type Hardware } from './service/hardware.js';
import { createKernel } from './kernel/create.js';
import { takeInheritedFds } from './kernel/inherited-fds.js';
import { createLogger, outputOf } from './service/log.js';
import { LoopDelay, hurryLoop } from './service/loop-delay.js';
import type { Log, WarningLog } from './base/log.js';
import { busKindOf, parseOptions, type DaemonOptions } from './service/options.js';
import { loadPolicy } from './policy/load.js';
import type { Policy } from './policy/policy.js';
import { brokerTools } from './service/broker-tools.js';
import { Reports } from './service/reports.js';
import { Signals } from './service/signals.js';
import {
  discardInherited,
  openState,
  OPENED_PRESSURE,
  serviceManager,
  type State,
  type StateOptions,
} from './service/state-directory.js';
import { later } from './base/time.js';

/** Exit code of a daemon that could not start, or could not go on. */
const EXIT_FAILED = 1;

const commandLine = parseOptions(process.argv.slice(2), VERSION);
if (commandLine.run) process.exit(await start(commandLine.options));
process.exitCode = commandLine.exitCode;

async function start(options: DaemonOptions): Promise<number> {
  const logger = createLogger(options.logLevel, outputOf(process.stderr.isTTY, process.env));
  const signals = new Signals();
  process.on('uncaughtException', (err) => {
    logger.fatal({ event: 'crashed', err }, 'a bug in the daemon');
    process.exit(EXIT_FAILED);
  });
  try {
    const service = await makeService(options, logger);
    if (!options.check) return await runToEnd(service, options, signals, logger);
    process.stdout.write(checkReport(service.broker, service.hardware.inventory.reach));
    return service.policy().warnings.length === 0 ? 0 : EXIT_FAILED;
  } catch (err) {
    const text = err instanceof Error ? err.message : 'the daemon could not start';
    logger.fatal({ event: 'start-failed' }, text);
    logger.debug({ err }, 'origin of the error');
    return EXIT_FAILED;
  }
}

/** What the daemon is made of, but for the bus. */
interface Service {
  readonly broker: ClosableBroker;
  readonly hardware: Hardware;
  /** As it was last read. */
  readonly policy: () => Policy;
  readonly reports: Reports;
  readonly state: State | undefined;
  readonly loopDelay: LoopDelay;
  readonly subUids: SubUids;
}

async function makeService(options: DaemonOptions, log: Log): Promise<Service> {
  const { root, profile, bus, stateDir } = options;
  const places = { root, shipped: SHIPPED_POLICY };
  let policy = await loadPolicy(places);
  const subUids = new SubUids(root);
  await subUids.read();
  const inherited = takeInheritedFds(process.env, process.pid);
  const pressure = inherited.get(OPENED_PRESSURE);
  inherited.delete(OPENED_PRESSURE);
  const kernel = createKernel({ ...(pressure !== undefined && { pressure }) });
  const hardware = await openHardware({ root, profile, kernel, policy, stateDir, log });
  for (const [text, heap] of refusalTexts(hardware.refused)) log.warn({ event: 'heap-refused', heap }, text);
  const { inventory, heaps, warnings } = hardware;
  const manager = options.check ? undefined : serviceManager(process.env, log);
  const state = await stateOf(options, { manager, inherited, kernel, log });
  const loopDelay = new LoopDelay(later);
  const broker = createBroker({
    inventory,
    heaps,
    warnings,
    policy,
    loadPolicy: async () => {
      await subUids.read();
      return (policy = await loadPolicy(places));
    },
    plainByPolicy: busKindOf(bus) === 'system',
    ...brokerTools(kernel),
    working: (isWorking) => {
      loopDelay.follow(isWorking);
    },
    log,
    ...(state !== undefined && { persistence: state.persistence }),
  });
  return {
    broker,
    hardware,
    policy: () => policy,
    reports: new Reports(manager, log),
    state,
    loopDelay,
    subUids,
  };
}

/** A daemon that only says what it would do leaves everything to the one that runs. */
async function stateOf(
  { check, stateDir, replace }: DaemonOptions,
  tools: Pick<StateOptions, 'manager' | 'inherited' | 'kernel' | 'log'>,
): Promise<State | undefined> {
  if (check || stateDir === undefined) {
    discardInherited(tools.inherited, tools.manager, tools.log);
    return undefined;
  }
  return openState({ ...tools, directory: stateDir, replace, environment: process.env, later });
}

/** What is handed out stays as it is, whatever ends the service. */
async function runToEnd(
  service: Service,
  options: DaemonOptions,
  signals: Signals,
  logger: Log,
): Promise<number> {
  const { broker, reports, state } = service;
  using _successor = state?.successor;
  let reason;
  try {
    reason = await run(service, options, signals, logger);
  } finally {
    reports.stopping();
    // From here on nothing changes any more that a successor or the next start reads.
    broker.close();
  }
  if (reason === A_SUCCESSOR_ASKED && state !== undefined) return await giveToSuccessor(state, logger);
  return reason === undefined ? EXIT_FAILED : 0;
}

/** Serves until a signal, the loss of the bus or of the name. @returns why it ended as it should; undefined when it did not */
async function run(
  { broker, hardware, policy, reports, state, loopDelay, subUids }: Service,
  options: DaemonOptions,
  signals: Signals,
  logger: Log,
): Promise<string | undefined> {
  warn(broker, logger);
  // Policy was read, so that the thread pool has its threads.
  hurryLoop(logger);
  const bus = await connectBus(busAddress(options.bus, process.env), {
    onFault: (err) => {
      logger.warn({ event: 'message-lost', err }, 'a message could not be delivered');
    },
  });
  const server = await serve(bus, broker, {
    version: VERSION,
    logger,
    root: options.root,
    busKind: busKindOf(options.bus),
    subUids,
  });
  using following = hardware.follow({
    policy,
    later,
    log: logger,
    adopt: (state) => {
      broker.adopt(state);
    },
  });
  const replaced = await watchName(bus);
  // A process that sees the name may send signals, so they are handled before it is there.
  const ended = signals.end();
  signals.onReload(() => {
    void reports.reloading(() => reload(broker, { loopDelay, bus }, logger));
  });
  const name = await requestName(bus, BUS_NAME, { replace: options.replace, allowReplacement: true });
  if (name !== 'owner') {
    const text = `${BUS_NAME} belongs to another daemon on this bus: stop that one, or start with --replace`;
    logger.fatal({ event: 'name-taken' }, text);
    return undefined;
  }
  const size = { devices: broker.devices().length, pools: broker.pools().length };
  logger.info({ event: 'ready', version: VERSION, ...size }, 'ready');
  using _told = reports.ready(broker, { environment: process.env, later });
  const ends = [ended, replaced.taken, bus.closed, ...(state === undefined ? [] : [state.successor.asked])];
  const reason = await Promise.race(ends);
  if (typeof reason !== 'string') {
    logger.fatal(
      { event: 'bus-lost', err: reason },
      `the message bus is gone: ${reason?.message ?? 'the connection was closed'}`,
    );
    return undefined;
  }
  logger.info({ event: 'ending', reason, loopDelayMs: loopDelay.longest }, 'ending');
  following[Symbol.dispose]();
  await server.close();
  // What was answered is sent before anything is handed on, so that it is known who has what.
  await bus.close();
  return reason;
}

/** @returns the exit code */
async function giveToSuccessor({ persistence, successor: heir }: State, logger: Log): Promise<number> {
  if (await heir.give(persistence.contents(), later)) {
    await persistence.releaseToSuccessor();
    return 0;
  }
  logger.error({ event: 'successor-lost' }, 'the successor ended before it had taken over everything');
  return EXIT_FAILED;
}

function warn(broker: ClosableBroker, log: WarningLog): void {
  for (const warning of broker.totals().warnings) log.warn({ event: 'warning' }, warning);
}

async function reload(
  broker: ClosableBroker,
  { loopDelay, bus }: { readonly loopDelay: LoopDelay; readonly bus: Pick<Bus, 'cacheBytes'> },
  logger: Log,
): Promise<void> {
  try {
    await broker.reload();
    warn(broker, logger);
    const figures = { loopDelayMs: loopDelay.longest, cacheBytes: bus.cacheBytes };
    logger.info({ event: 'policy-read', ...figures }, 'policy was read again');
  } catch (err) {
    logger.error(
      { event: 'policy-refused', err },
      'policy could not be read again; the present one stays in force',
    );
  }
}

/** Watches for another process to take the name. In an object, because a promise of a promise is one. */
async function watchName(bus: Bus): Promise<{ readonly taken: Promise<string> }> {
  const driver = 'org.freedesktop.DBus';
  const lost = new EventEmitter();
  const taken = once(lost, 'lost').then(() => 'another process took the name');
  await bus.listen(
    `type='signal',sender='${driver}',interface='${driver}',member='NameLost',arg0='${BUS_NAME}'`,
    ({ sender, member, body }) => sender === driver && member === 'NameLost' && body[0] === BUS_NAME,
    () => lost.emit('lost'),
  );
  return { taken };
}
