import type { WireValue } from '../../../dbus/connection/bus-types.js';
import { BrokerError } from '../../../dbus/errors.js';
import { DEVICE_INTERFACE, POOL_INTERFACE, devicePath, poolPath } from '../../../dbus/names.js';
import { createBroker, type ClosableBroker } from '../../../daemon/broker/broker.js';
import type { MachineState } from '../../../daemon/broker/options.js';
import { explanationDict } from '../../../daemon/bus/replies.js';
import { readExplain } from '../../../daemon/bus/request.js';
import { deviceValues, poolValues, type Values } from '../../../daemon/bus/views.js';
import type { Kernel } from '../../../daemon/kernel/kernel.js';
import type { Policy } from '../../../daemon/policy/policy.js';
import { brokerTools } from '../../../daemon/service/broker-tools.js';
import { DmabrokerError } from '../../errors.js';
import type { DeviceInfo, Explanation, PoolInfo } from '../../model.js';
import type { BufferRequest, DeviceRequest } from '../../request.js';
import { decodeExplanation } from '../../wire/decode.js';
import { encodeRequest } from '../../wire/encode.js';
import { Fields } from '../../wire/fields.js';
import { decodeObject } from '../../wire/objects.js';

/** Root, whose requests no rate and no list of users holds back. */
const OWNER = { bus: '', name: ':0', uid: 0, groups: [], unit: '' } as const;

export interface OfflineOptions {
  /** Its heaps are the broker's from now on. */
  readonly machine: MachineState;
  readonly policy: Policy;
  readonly kernel: Pick<Kernel, 'dmaBuf' | 'pressure'>;
}

/** The broker in this process, without a bus: it answers as the daemon would on the same machine. */
export class OfflineBroker implements Disposable {
  readonly #broker: ClosableBroker;
  /** How much RAM there is decides what may be handed out; where it is not known, nothing is said of that. */
  readonly #knowsRam: boolean;

  constructor({ machine, policy, kernel }: OfflineOptions) {
    this.#knowsRam = machine.inventory.machine.ram.value > 0n;
    this.#broker = createBroker({
      ...machine,
      policy,
      loadPolicy: () => Promise.resolve(policy),
      plainByPolicy: false,
      ...brokerTools(kernel),
      log: { warn: () => undefined, debug: () => undefined },
    });
  }

  /** @throws {DmabrokerError} as the broker on the bus would refuse */
  async explain(devices: readonly DeviceRequest[], buffer: BufferRequest): Promise<Explanation> {
    try {
      const { body } = encodeRequest(devices, buffer);
      const explanation = await this.#broker.explain(OWNER, readExplain(body));
      const told = this.#knowsRam ? explanation : { ...explanation, limits: [] };
      return decodeExplanation(explanationDict(told));
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      throw new DmabrokerError(error.code, error.message, { cause: error });
    }
  }

  pools(): Promise<readonly PoolInfo[]> {
    const pools = this.#broker.pools().map((view) => {
      const path = poolPath(view.handle);
      return decodeObject({ path, interface: POOL_INTERFACE, fields: fieldsOf(poolValues(view), path) });
    });
    return Promise.resolve(pools.filter((object) => object.kind === 'pool'));
  }

  devices(): Promise<readonly DeviceInfo[]> {
    const devices = this.#broker.devices().map((view) => {
      const path = devicePath(view.device.node);
      return decodeObject({ path, interface: DEVICE_INTERFACE, fields: fieldsOf(deviceValues(view), path) });
    });
    return Promise.resolve(devices.filter((object) => object.kind === 'device'));
  }

  /** Id of the heap behind a pool. */
  heapOf(handle: string): string {
    return String(this.#broker.reveal(handle).get('heap'));
  }

  [Symbol.dispose](): void {
    this.#broker.close();
  }
}

/** Properties as they come over the bus; what reads them does not look at signatures. */
function fieldsOf(values: Values, path: string): Fields {
  const dict: WireValue = Object.entries(values).map(([name, value]) => [name, { signature: 'v', value }]);
  return new Fields(dict, path);
}
