import { BUS_NAME } from '../../dbus/names.js';
import type { DmabrokerError } from '../errors.js';

/** What decides how a daemon is started here. */
export interface InitSystem {
  readonly argv: readonly string[];
  /** Whether systemd is the init system (sd_booted(3)). */
  readonly hasSystemd: boolean;
}

/** What to do when no daemon answers; undefined when the broker itself refused. */
export function absenceText({ code, message, cause }: DmabrokerError, init: InitSystem): string | undefined {
  if (code === 'NoBus') return `${message}; name another bus with --bus`;
  const bus = busIn(init.argv);
  const isService = bus === 'system' && init.hasSystemd;
  if (code === 'DaemonLeft') {
    const where = isService ? 'journalctl -u dmabrokerd' : "the daemon's own output";
    return `the daemon left the bus before it answered; ${where} says why`;
  }
  if (code !== 'NoDaemon') return undefined;
  return `${BUS_NAME} has no owner on this bus; ${startText(bus, init.hasSystemd, spawnFailure(cause))}`;
}

/** The bus that the command line names. */
function busIn(argv: readonly string[]): string {
  const at = argv.lastIndexOf('--bus');
  const joined = argv.findLast((word) => word.startsWith('--bus='))?.slice('--bus='.length);
  return (at < 0 ? joined : argv[at + 1]) ?? 'system';
}

function startText(bus: string, hasSystemd: boolean, failure: string | undefined): string {
  if (bus === 'session')
    return 'start one on it with dmabrokerd --bus session, or leave --bus out for the system bus';
  if (bus !== 'system') return `start one on it with dmabrokerd --bus ${bus}`;
  if (hasSystemd)
    return failure === undefined
      ? 'start the daemon (systemctl start dmabrokerd), or name another bus with --bus'
      : `the bus could not start it: ${failure}; systemctl status dmabrokerd says why; or name another bus with --bus`;
  const why = failure === undefined ? '' : `the bus could not start it: ${failure}; `;
  return `${why}without systemd, start dmabrokerd as root yourself, or name another bus with --bus`;
}

/** What the bus said when it tried to start the daemon. */
const spawnFailure = (cause: unknown): string | undefined =>
  cause instanceof Error && 'errorName' in cause && String(cause.errorName).startsWith(SPAWN_ERROR)
    ? cause.message
    : undefined;

const SPAWN_ERROR = 'org.freedesktop.DBus.Error.Spawn.';
