export interface BusOptions {
  /** `dbus-daemon` when absent. */
  readonly kind?: 'dbus-daemon' | 'dbus-broker';
  /** A dbus-daemon configuration (XML of a whole `busconfig`, without `listen`); lets everything through when absent. */
  readonly config?: string;
}

/** A message bus of our own, in a temporary directory, on a socket that only this user reaches. */
export interface PrivateBus extends AsyncDisposable {
  readonly address: string;
  /** Process id of the bus. */
  readonly pid: number;
  /** Ends the bus and removes its directory. */
  stop(): Promise<void>;
}

export async function startBus(options: BusOptions = {}): Promise<PrivateBus> {
  await Promise.reject(new Error(`not written yet: ${String(options.kind)}`));
  throw new Error('unreachable');
}
