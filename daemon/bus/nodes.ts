import type { Broker } from '../broker/types.js';
import type { Authority } from './access.js';
import { bind, type Binding, type BoundMethod } from './binding.js';
import { brokerBinding } from './broker-methods.js';
import { ALLOCATION, BROKER, DEVICE, POOL, type InterfaceTable } from './contract.js';
import { StandardError } from './failure.js';
import { introspectionXml } from './introspection.js';
import type { ObjectTree } from './objects.js';
import { quote } from '../../dbus/quote.js';
import type { Viewer } from './sight.js';
import { INTROSPECTABLE, PEER, STANDARD_ERRORS } from './standard-interfaces.js';
import { objectManagerBinding, peerBinding, propertiesBinding, type Listing } from './standard-methods.js';

export interface NodesOptions {
  readonly broker: Broker;
  readonly objects: ObjectTree;
  readonly authority: Authority;
  readonly listing: Listing;
  /** Put before `/etc`. */
  readonly root: string;
}

/** Which interfaces answer at which path. */
export class Nodes {
  readonly #objects: ObjectTree;
  readonly #peer: Binding;
  /** At a path that only has others below it. */
  readonly #above: readonly Binding[];
  readonly #byTable: ReadonlyMap<InterfaceTable, readonly Binding[]>;

  constructor({ broker, objects, authority, listing, root }: NodesOptions) {
    this.#objects = objects;
    this.#peer = peerBinding(root);
    const introspectable = bind(INTROSPECTABLE, {
      Introspect: ({ viewer, call }) => {
        const tables = this.#at(call.path, viewer).map(({ table }) => table);
        return [introspectionXml(tables, objects.children(call.path, viewer))];
      },
    });
    this.#above = [introspectable, this.#peer];
    const every = [propertiesBinding(objects), ...this.#above];
    const manager = objectManagerBinding(objects, listing);
    this.#byTable = new Map<InterfaceTable, readonly Binding[]>([
      [BROKER, [brokerBinding(broker, objects, authority), manager, ...every]],
      [DEVICE, [bind(DEVICE, {}), ...every]],
      [POOL, [bind(POOL, {}), ...every]],
      [ALLOCATION, [bind(ALLOCATION, {}), ...every]],
    ]);
  }

  /**
   * The method that a call means.
   * @param name of the interface; empty when the caller named none
   * @throws {StandardError} UnknownObject, UnknownInterface or UnknownMethod
   */
  method(path: string, name: string, member: string, viewer: Viewer): BoundMethod {
    // Peer is about the connection, so that it answers at any path.
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
    const bindings = object === undefined ? undefined : this.#byTable.get(object.table);
    if (bindings !== undefined) return bindings;
    if (this.#objects.isAbove(path)) return this.#above;
    throw new StandardError(STANDARD_ERRORS.unknownObject, 'there is no such object');
  }
}
