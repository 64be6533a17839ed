import { BrokerError } from '../../dbus/errors.js';
import type { Binding, BoundMethod } from './binding.js';
import { BROKER, type InterfaceTable } from './contract.js';
import { StandardError } from './error-reply.js';
import { STANDARD_ERRORS } from './standard-interfaces.js';

/** Members of the broker that need an administrator: a channel knows of no polkit. */
const FOR_ADMINISTRATORS: readonly string[] = ['Reload', 'SetPoolLimit', 'Reveal'];
/** Members that make no sense without a bus. */
const FOR_THE_BUS: readonly string[] = ['OpenChannel'];

/** An interface as it works over a channel, where no signal is sent: the bus has them for the owner. */
export const channelTable = (table: InterfaceTable): InterfaceTable => ({
  ...table,
  methods: Object.fromEntries(
    Object.entries(table.methods).filter(
      ([name]) => table !== BROKER || !(FOR_ADMINISTRATORS.includes(name) || FOR_THE_BUS.includes(name)),
    ),
  ),
  signals: {},
});

/** What answers over a channel: members that do not work there say so. */
export function channelBinding({ table, methods }: Binding): Binding {
  const answers = [...methods].map(([name, method]): [string, BoundMethod] => [
    name,
    overChannel(name, method),
  ]);
  return { table: channelTable(table), methods: new Map(answers) };
}

function overChannel(name: string, method: BoundMethod): BoundMethod {
  if (FOR_ADMINISTRATORS.includes(name))
    return refusing(
      method,
      () => new BrokerError('AccessDenied', `${name} needs an administrator, and is called over the bus`),
    );
  if (!FOR_THE_BUS.includes(name)) return method;
  return refusing(
    method,
    () =>
      new StandardError(STANDARD_ERRORS.notSupported, `${name} is called over the bus, not over a channel`),
  );
}

const refusing = (method: BoundMethod, refusal: () => Error): BoundMethod => ({
  ...method,
  handler: () => {
    throw refusal();
  },
});
