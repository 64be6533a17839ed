import { BrokerError } from '../../dbus/errors.js';
import type { Binding, BoundMethod } from './binding.js';
import { BROKER, type InterfaceTable } from './contract.js';
import { StandardError } from './error-reply.js';
import { STANDARD_ERRORS } from './standard-interfaces.js';

/** A channel knows of no polkit. */
const forAdministrators = (name: string): Error =>
  new BrokerError('AccessDenied', `${name} needs an administrator, and is called over the bus`);

/** What does not work over a channel, with what its caller is told. */
const REFUSED: ReadonlyMap<string, (name: string) => Error> = new Map([
  ['Reload', forAdministrators],
  ['SetPoolLimit', forAdministrators],
  ['Reveal', forAdministrators],
  [
    'OpenChannel',
    (name) =>
      new StandardError(STANDARD_ERRORS.notSupported, `${name} is called over the bus, not over a channel`),
  ],
]);

/** An interface as it works over a channel, where no signal is sent: the bus has them for the owner. */
export const channelTable = (table: InterfaceTable): InterfaceTable => ({
  ...table,
  methods: Object.fromEntries(
    Object.entries(table.methods).filter(([name]) => table !== BROKER || !REFUSED.has(name)),
  ),
  signals: {},
});

/** What answers over a channel: members that do not work there say so. */
export function channelBinding({ table, methods }: Binding): Binding {
  const answers = [...methods].map(([name, method]): [string, BoundMethod] => {
    const refusal = table === BROKER ? REFUSED.get(name) : undefined;
    return [name, refusal === undefined ? method : refusing(method, () => refusal(name))];
  });
  return { table: channelTable(table), methods: new Map(answers) };
}

const refusing = (method: BoundMethod, refusal: () => Error): BoundMethod => ({
  ...method,
  handler: () => {
    throw refusal();
  },
});
