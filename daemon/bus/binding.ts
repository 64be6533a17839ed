import type { IncomingCall, WireValue } from '../../dbus/connection/bus-types.js';
import type { Owner } from '../broker/broker-types.js';
import { signatureOf, type InterfaceTable, type MethodName } from './contract.js';
import type { Viewer } from './visibility.js';

/** A call with who makes it. */
export interface Invocation {
  readonly caller: Owner;
  /** What the caller could see when the call came. */
  readonly viewer: Viewer;
  readonly call: IncomingCall;
}

/** Values of a method's results, in order. */
export type Results = readonly WireValue[];

/** Results that have to be taken back when their caller does not get them. */
export interface Revocable {
  readonly results: Results;
  readonly undelivered: () => void;
  /** They were handed to the bus. */
  readonly sent: () => void;
}

/** Does what a method says. The arguments in `call.body` have the signature of the method's table. */
export type Handler = (invocation: Invocation) => Results | Revocable | Promise<Results | Revocable>;

/** A method with what the dispatcher needs of it. */
export interface BoundMethod {
  /** Signatures of all arguments and of all results together. */
  readonly in: string;
  readonly out: string;
  readonly handler: Handler;
}

/** An interface that answers. */
export interface Binding {
  readonly table: InterfaceTable;
  /** A map, because an object would inherit members such as `constructor`. */
  readonly methods: ReadonlyMap<string, BoundMethod>;
}

/** Binds every method of an interface to its handler. */
export function bind<T extends InterfaceTable>(
  table: T,
  handlers: Readonly<Record<MethodName<T>, Handler>>,
): Binding {
  const bound = Object.entries<Handler>(handlers).map(([name, handler]): [string, BoundMethod] => {
    const args = table.methods[name];
    if (args === undefined) throw new Error(`${table.name} has no method ${name}`);
    return [name, { in: signatureOf(args.in), out: signatureOf(args.out), handler }];
  });
  return { table, methods: new Map(bound) };
}
