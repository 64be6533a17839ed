import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';
import { awaitSuccessor, takeOver, type Successor } from './handover.js';
import { lockFile } from '../kernel/file-lock.js';
import type { Kernel } from '../kernel/kernel.js';
import { openServiceManager, type ServiceManager } from '../kernel/service-manager.js';
import { Persistence, type Inheritance } from '../ledger/persist/restore.js';
import { StateFiles } from '../ledger/persist/state-files.js';
import { fdStoreRemoval } from '../ledger/persist/systemd-fd-store.js';
import type { Log, WarningLog } from '../base/log.js';
import { pause, type Later } from '../base/time.js';

/** Another daemon has the state directory. */
export class StateInUseError extends Error {
  override readonly name = 'StateInUseError';
}

export interface StateOptions {
  readonly directory: string;
  /** Whether a daemon that has the directory is asked to hand over. */
  readonly replace: boolean;
  readonly manager: ServiceManager | undefined;
  /** Buffers that the manager kept, by their names; the state's from now on. */
  readonly inherited: ReadonlyMap<string, OwnedFd>;
  readonly environment: NodeJS.ProcessEnv;
  readonly kernel: Kernel;
  readonly later: Later;
  readonly log: Log;
}

/** The state directory, which is this process's alone. */
export interface State {
  readonly persistence: Persistence;
  readonly successor: Successor;
}

/**
 * Descriptors that systemd keeps for the service (`FileDescriptorStoreMax=` of the unit). It compares each new one with all
 * that it has, so that more would cost it milliseconds for one; their names fill an eighth of what the environment may have.
 */
export const STORE_CAPACITY = 4096;

/** Under which name the unit has systemd open /proc/pressure/memory (systemd/dmabrokerd.service.d/systemd-253.conf). */
export const OPENED_PRESSURE = 'pressure';

/** Milliseconds between two looks whether a predecessor has let go of the directory, and looks. */
const LOCK_RETRY_MS = 10;
const LOCK_TRIES = 500;

/**
 * Makes what the daemon holds outlive it. Without a directory that can be written that is a warning, because memory can
 * be handed out all the same.
 * @throws {StateInUseError}
 */
export async function openState(options: StateOptions): Promise<State | undefined> {
  const { directory, manager, inherited, environment, kernel, later, log } = options;
  let handed: ReadonlyMap<string, OwnedFd> | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Of the running kernel, whatever the root: its memory is what is handed out.
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    handed = options.replace ? await takeOver(directory, later) : undefined;
    await takeLock(directory, handed === undefined ? 1 : LOCK_TRIES, later);
    // Both at once there are not but by mistake; what a predecessor had is newer.
    if (handed !== undefined) discardInherited(inherited, manager, log);
    const inheritance: Inheritance =
      handed === undefined ? { fds: inherited, stored: true } : { fds: handed, stored: false };
    const persistence = new Persistence({
      files: new StateFiles(directory),
      boot,
      inheritance,
      manager,
      capacity: storeCapacity(environment),
      dmaBuf: kernel.dmaBuf,
      later,
      log,
    });
    return { persistence, successor: awaitSuccessor(directory) };
  } catch (err) {
    closeAll(handed?.values() ?? []);
    // What another daemon's directory speaks of is not ours to give up.
    if (err instanceof StateInUseError) throw err;
    discardInherited(inherited, manager, log);
    log.warn(
      { event: 'state-unusable', err },
      'the state directory cannot be used: what is handed out will not outlive the daemon',
    );
    return undefined;
  }
}

/** The service manager that started the process, where there is one. */
export function serviceManager(environment: NodeJS.ProcessEnv, log: WarningLog): ServiceManager | undefined {
  const path = environment['NOTIFY_SOCKET'];
  if (path === undefined) return undefined;
  try {
    return openServiceManager(path);
  } catch (err) {
    log.warn({ event: 'manager-unreachable', err }, 'the service manager cannot be told anything');
    return undefined;
  }
}

/** Tells the manager how the service is. One that has no room, or is gone, misses it. */
export function tell(
  manager: Pick<ServiceManager, 'send'> | undefined,
  text: string,
  log: Pick<Log, 'debug'>,
): void {
  try {
    manager?.send(text);
  } catch (err) {
    log.debug({ err }, 'the service manager could not be told');
  }
}

/** No record says what these are: they are closed, and the manager's copies with them. */
export function discardInherited(
  inherited: ReadonlyMap<string, OwnedFd>,
  manager: ServiceManager | undefined,
  log: Pick<Log, 'debug'>,
): void {
  for (const [name, fd] of inherited) {
    fd.close();
    tell(manager, fdStoreRemoval(name), log);
  }
}

/** The lock is held until the process ends. */
async function takeLock(directory: string, looks: number, later: Later): Promise<void> {
  for (let look = 1; look <= looks; look += 1) {
    if (lockFile(join(directory, 'lock')) !== 'taken') return;
    if (look < looks) await pause(LOCK_RETRY_MS, later);
  }
  throw new StateInUseError(
    `another daemon uses ${directory}: stop it, start with --replace, or give this one another --state-dir`,
  );
}

/** What systemd says since 254; before, the unit's own number holds. */
function storeCapacity(environment: NodeJS.ProcessEnv): number {
  const said = Number(environment['FDSTORE'] ?? STORE_CAPACITY);
  return Number.isSafeInteger(said) && said >= 0 ? Math.min(said, STORE_CAPACITY) : STORE_CAPACITY;
}
