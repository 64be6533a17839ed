import type { Broker } from './broker/types.js';
import { amountText } from './pools/amount.js';
import type { Later } from './pools/time.js';

/** Milliseconds from a change until it is told: however fast requests come, once a second is enough for a reader. */
const REST = 1000;

/** What `systemctl status` shows: `3 devices, 2 heaps, 14 buffers, 412 MiB`. */
export function statusLine(broker: Pick<Broker, 'devices' | 'pools' | 'totals'>): string {
  const { liveBuffers, liveBytes } = broker.totals();
  return [
    counted(broker.devices().length, 'device'),
    counted(broker.pools().length, 'heap'),
    counted(liveBuffers, 'buffer'),
    amountText(liveBytes),
  ].join(', ');
}

/** Tells the line now, and again after it changed. */
export function followStatus(
  broker: Pick<Broker, 'devices' | 'pools' | 'totals' | 'listen'>,
  later: Later,
  tell: (line: string) => void,
): Disposable {
  let told: string | undefined;
  let timer: Disposable | undefined;
  let ended = false;
  const look = (): void => {
    timer = undefined;
    const line = statusLine(broker);
    if (line !== told) tell(line);
    told = line;
  };
  broker.listen({
    totalsChanged: () => {
      if (!ended) timer ??= later(REST, look);
    },
  });
  look();
  return {
    [Symbol.dispose]: () => {
      ended = true;
      timer?.[Symbol.dispose]();
    },
  };
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
