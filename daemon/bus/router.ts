import { LIMITS, ROOT_PATH } from '../../dbus/names.js';
import { quote } from '../../dbus/quote.js';
import type { Broker } from '../broker/broker-types.js';
import type { Authority } from './authority.js';
import { bind, type Binding, type BoundMethod } from './binding.js';
import { brokerBinding } from './broker-methods.js';
import { channelBinding } from './channel-binding.js';
import type { Channels } from './channels.js';
import { ALLOCATION, DEVICE, PARTY, POOL, type InterfaceTable, type Arguments } from './contract.js';
import { StandardError } from './error-reply.js';
import type { ObjectTree } from './objects.js';
import { partyBinding } from './party-methods.js';
import type { Viewer } from './visibility.js';
import { INTROSPECTABLE, PEER, STANDARD_ERRORS } from './standard-interfaces.js';
import { objectManagerBinding, peerBinding, propertiesBinding, type Listing } from './standard-methods.js';

export interface RouterOptions {
  readonly broker: Broker;
  readonly objects: ObjectTree;
  readonly authority: Authority;
  readonly listing: Listing;
  readonly channels: Pick<Channels, 'open'>;
  /** For calls that come over a channel: what works there. */
  readonly overChannel?: boolean;
  /** Put before `/etc`. */
  readonly root: string;
}

/** Which interfaces answer at which path. */
export class Router {
  readonly #objects: ObjectTree;
  readonly #peer: Binding;
  /** At a path that only has others below it. */
  readonly #above: readonly Binding[];
  readonly #root: readonly Binding[];
  readonly #byTable: ReadonlyMap<InterfaceTable, readonly Binding[]>;

  constructor(options: RouterOptions) {
    const { objects, listing, root, overChannel = false } = options;
    const over = overChannel ? channelBinding : (binding: Binding): Binding => binding;
    this.#objects = objects;
    this.#peer = peerBinding(root);
    const introspectable = bind(INTROSPECTABLE, {
      Introspect: ({ viewer, call }) => {
        const tables = this.#at(call.path, viewer).map(({ table }) => table);
        return [introspectionXml(tables, objects.children(call.path, viewer))];
      },
    });
    this.#above = [introspectable, this.#peer];
    const every = [over(propertiesBinding(objects)), ...this.#above];
    const manager = over(objectManagerBinding(objects, listing));
    const perReply = overChannel ? LIMITS.buffersPerChannelCall : LIMITS.buffersPerCall;
    this.#root = [over(brokerBinding({ ...options, perReply })), manager, ...every];
    this.#byTable = new Map<InterfaceTable, readonly Binding[]>([
      [DEVICE, [bind(DEVICE, {}), ...every]],
      [POOL, [bind(POOL, {}), ...every]],
      [ALLOCATION, [bind(ALLOCATION, {}), ...every]],
      [PARTY, [partyBinding(options.broker), ...every]],
    ]);
  }

  /**
   * The method that a call means.
   * @param name of the interface; empty when the caller named none
   * @throws {StandardError} UnknownObject, UnknownInterface or UnknownMethod
   */
  method(path: string, name: string, member: string, viewer: Viewer): BoundMethod {
    // Peer is about the connection, so it answers at any path.
    const bindings = name === PEER.name ? [this.#peer] : this.#at(path, viewer);
    let isKnown = name === '';
    for (const { table, methods } of bindings) {
      if (name !== '' && table.name !== name) continue;
      isKnown = true;
      const method = methods.get(member);
      if (method !== undefined) return method;
    }
    if (!isKnown)
      throw new StandardError(STANDARD_ERRORS.unknownInterface, `there is no interface ${quote(name)} here`);
    throw new StandardError(STANDARD_ERRORS.unknownMethod, `there is no method ${quote(member)} here`);
  }

  #at(path: string, viewer: Viewer): readonly Binding[] {
    const object = this.#objects.find(path, viewer);
    if (object?.path === ROOT_PATH) return this.#root;
    const bindings = object === undefined ? undefined : this.#byTable.get(object.table);
    if (bindings !== undefined) return bindings;
    if (this.#objects.isAbove(path)) return this.#above;
    throw new StandardError(STANDARD_ERRORS.unknownObject, 'there is no such object');
  }
}

const DOCTYPE =
  '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n' +
  '"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">\n';

/**
 * Introspection data of a node. Nothing is escaped, because names in the tables and in object paths need none.
 * @param children names of the nodes directly below
 */
export function introspectionXml(tables: readonly InterfaceTable[], children: readonly string[]): string {
  const nodes = children.map((name) => ` <node name="${name}"/>\n`);
  return `${DOCTYPE}<node>\n${tables.map(interfaceXml).join('')}${nodes.join('')}</node>\n`;
}

function interfaceXml({ name, methods, properties, signals }: InterfaceTable): string {
  return [
    ` <interface name="${name}">\n`,
    ...Object.entries(methods).map(
      ([method, args]) =>
        `  <method name="${method}">\n${argumentsXml(args.in, 'in')}${argumentsXml(args.out, 'out')}  </method>\n`,
    ),
    ...Object.entries(signals).map(
      ([signal, args]) => `  <signal name="${signal}">\n${argumentsXml(args)}  </signal>\n`,
    ),
    ...Object.entries(properties).map(
      ([property, { type, changes }]) =>
        `  <property name="${property}" type="${type}" access="read">\n` +
        `   <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="${changes}"/>\n` +
        '  </property>\n',
    ),
    ' </interface>\n',
  ].join('');
}

const argumentsXml = (args: Arguments, direction?: 'in' | 'out'): string =>
  Object.entries(args)
    .map(
      ([name, type]) =>
        `   <arg name="${name}" type="${type}"${direction === undefined ? '' : ` direction="${direction}"`}/>\n`,
    )
    .join('');
