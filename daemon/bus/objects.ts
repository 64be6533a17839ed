import { Prepared } from '../../dbus/connection/prepared.js';
import type { WireDict } from '../../dbus/connection/bus-types.js';
import { allocationPath, devicePath, partyPath, poolPath, ROOT_PATH } from '../../dbus/names.js';
import type { AllocationView, DeviceView, Owner, PoolView } from '../broker/broker-types.js';
import type { PartyView } from '../broker/parties/party-types.js';
import { ALLOCATION, BROKER, DEVICE, PARTY, POOL, type InterfaceTable } from './contract.js';
import { interfacesOf } from './properties.js';
import type { Viewer } from './visibility.js';
import { allocationValues, deviceValues, partyValues, poolValues, type Values } from './views.js';

/** An object below the root with its one interface of the contract, as it was when this was made. */
export interface BusObject {
  readonly path: string;
  readonly table: InterfaceTable;
  readonly values: () => Values;
  /** Present for an allocation and a party: its owner. Every user may see an object without one. */
  readonly owned?: Owned;
}

/** One that `GetManagedObjects` lists. */
export interface ListedObject extends BusObject {
  /** Its interfaces with their properties, `a{sa{sv}}`: the same each time, because a list is asked for again and again. */
  readonly interfaces: () => Prepared<WireDict>;
}

/** Whose an object is. */
export interface Owned {
  readonly id: string;
  readonly owner: Owner;
  /** Whether it exists to its owner's connection alone. */
  readonly isPrivate?: true;
}

export const deviceObject = (view: DeviceView): ListedObject =>
  listed(devicePath(view.device.node), DEVICE, () => deviceValues(view));

export const poolObject = (view: PoolView): ListedObject =>
  listed(poolPath(view.handle), POOL, () => poolValues(view));

export const allocationObject = (view: AllocationView): ListedObject => ({
  ...listed(allocationPath(view.id), ALLOCATION, () => allocationValues(view)),
  owned: { id: view.id, owner: view.owner },
});

export const partyObject = (view: PartyView): ListedObject => ({
  ...listed(partyPath(view.id), PARTY, () => partyValues(view)),
  owned: { id: view.id, owner: view.owner, isPrivate: true },
});

/** Values are made when they are read, because those of most allocations never are. */
function listed(path: string, table: InterfaceTable, make: () => Values): ListedObject {
  const values = once(make);
  return { path, table, values, interfaces: once(() => new Prepared(() => interfacesOf(table, values()))) };
}

/** `org.dmabroker1.Broker` itself: after a change its values are made again when they are next read. */
export class RootObject implements BusObject {
  readonly path = ROOT_PATH;
  readonly table = BROKER;
  readonly #make: () => Values;
  #values: Values | undefined;

  constructor(make: () => Values) {
    this.#make = make;
    this.#values = make();
  }

  readonly values = (): Values => (this.#values ??= this.#make());

  /** Marks the values as changed, and returns the old ones; undefined when they were not read since the last change. */
  outdate(): Values | undefined {
    const before = this.#values;
    this.#values = undefined;
    return before;
  }
}

function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** Whether a caller may see an object; one without an owner is visible to all. */
export function maySee({ name, uid, seesOthers }: Viewer, { owned }: BusObject): boolean {
  if (owned?.isPrivate === true) return owned.owner.name === name;
  return owned === undefined || owned.owner.uid === uid || seesOthers;
}

const KINDS = ['device', 'pool', 'allocation', 'party'] as const;

/** Paths with a fixed list of what lies directly below them. */
const ABOVE = new Map<string, readonly string[]>([
  ['/', ['org']],
  ['/org', [ROOT_PATH.slice('/org/'.length)]],
  [ROOT_PATH, KINDS],
]);

const KIND_PATHS: readonly string[] = KINDS.map((kind) => `${ROOT_PATH}/${kind}`);

/** Which objects exist, and who may see them. To a caller that may not see an object, it does not exist. */
export class ObjectTree {
  readonly #root: BusObject;
  /** All but the root. */
  readonly #objects: Map<string, ListedObject>;

  constructor(root: BusObject, objects = new Map<string, ListedObject>()) {
    this.#root = root;
    this.#objects = objects;
  }

  /** The same objects below another root. */
  below(root: BusObject): ObjectTree {
    return new ObjectTree(root, this.#objects);
  }

  /** Adds an object, or puts it in the place of the one that was at its path, which is given back. */
  put(object: ListedObject): ListedObject | undefined {
    const before = this.#objects.get(object.path);
    this.#objects.set(object.path, object);
    return before;
  }

  remove(path: string): ListedObject | undefined {
    const object = this.#objects.get(path);
    this.#objects.delete(path);
    return object;
  }

  /** The object as it is now, whether the caller may see it or not. */
  at(path: string): BusObject | undefined {
    return path === this.#root.path ? this.#root : this.#objects.get(path);
  }

  find(path: string, viewer: Viewer): BusObject | undefined {
    const object = this.at(path);
    return object !== undefined && maySee(viewer, object) ? object : undefined;
  }

  /** All but the root. */
  visible(viewer: Viewer): readonly ListedObject[] {
    return [...this.#objects.values()].filter((object) => maySee(viewer, object));
  }

  /** Whether the path has no object of its own, only others below it. */
  isAbove(path: string): boolean {
    return ABOVE.has(path) || KIND_PATHS.includes(path);
  }

  /** Names of the nodes directly below a path. */
  children(path: string, viewer: Viewer): readonly string[] {
    const above = ABOVE.get(path);
    if (above !== undefined) return above;
    if (!KIND_PATHS.includes(path)) return [];
    return this.visible(viewer)
      .filter((object) => object.path.startsWith(`${path}/`))
      .map((object) => object.path.slice(path.length + 1));
  }
}
