import { onTestFinished } from 'vitest';

import { connectBus, requestName } from '../../../dbus/connection/bus.js';
import type { IncomingCall } from '../../../dbus/connection/bus-types.js';
import type { ServeRig } from './serve-rig.js';

/** Something in polkit's place on the bus, which answers as it is told to. */
export async function polkit(
  rig: ServeRig,
  answer: (call: IncomingCall) => void,
): Promise<readonly IncomingCall[]> {
  const asked: IncomingCall[] = [];
  const bus = await connectBus(rig.address);
  onTestFinished(() => bus.close());
  bus.handleCalls((call) => {
    asked.push(call);
    answer(call);
  });
  await requestName(bus, 'org.freedesktop.PolicyKit1');
  return asked;
}

export const says =
  (authorized: boolean) =>
  (call: IncomingCall): void => {
    call.reply('(bba{ss})', [[authorized, false, []]]);
  };
