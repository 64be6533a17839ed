import {
  type Device,
  type HeapFacts,
  type Inventory,
  type ReachFact,
  CPU_DEVICE,
  MEMFD_HEAP,
  type Fact,
} from '../inventory.js';
import { Checker } from './checker.js';
import { readDevice } from './read-device.js';
import {
  MachineSchema,
  PROFILE_VERSION,
  ProfileSchema,
  ProvenanceSchema,
  ReachSchema,
  type Provenance,
  HeapSchema,
} from './schema.js';

export interface LoadedProfile {
  /** Its warnings are those of the machine that was recorded, then those of loading. */
  readonly inventory: Inventory;
  /** Absent when it is malformed. */
  readonly provenance: Provenance | undefined;
  /** What is wrong with the document, each with file name and JSON path. */
  readonly warnings: readonly string[];
}

/**
 * Reads a hardware profile. A malformed device, heap or format is a warning, and the rest still works.
 * @param file its name, for messages
 * @throws {ProfileError} it is no JSON object, of another version, or without a machine
 */
export function inventoryFromProfile(json: string, file: string): LoadedProfile {
  const document = parseDocument(json, file);
  const checker = new Checker(file);
  for (const key of Object.keys(document))
    if (!Object.hasOwn(ProfileSchema.properties, key)) checker.warn(`$.${key}`, 'unknown key, ignored');
  const machine = checker.parse(MachineSchema, document['machine'], '$.machine');
  if (!machine.ok) throw new ProfileError('NoMachine', machine.problem);
  const provenance = checker.check(ProvenanceSchema, document['provenance'], '$.provenance');
  const devices = readDevices(checker, document['devices']);
  const heaps = readHeaps(checker, document['heaps']);
  const reach = readReach(checker, document['reach'], devices, heaps);
  const recorded = checker.list(document['warnings'], '$.warnings', (item) =>
    typeof item === 'string' ? item : undefined,
  );
  const { compatible = [], ram, ramTop, cmaTop, ...names } = machine.value;
  return {
    inventory: {
      machine: {
        ...names,
        compatible,
        ram: bigFact(ram),
        ramTop: bigFact(ramTop),
        ...(cmaTop && { cmaTop: bigFact(cmaTop) }),
      },
      devices: [CPU_DEVICE, ...devices],
      heaps: [...heaps, MEMFD_HEAP],
      reach,
      warnings: [...recorded, ...checker.warnings],
    },
    provenance,
    warnings: checker.warnings,
  };
}

function parseDocument(json: string, file: string): Readonly<Record<string, unknown>> {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (cause) {
    throw new ProfileError('NotJson', `${file}: is not JSON`, { cause });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new ProfileError('NotJson', `${file}: is not a JSON object`);
  const fields = document as Readonly<Record<string, unknown>>;
  if (fields['version'] !== PROFILE_VERSION)
    throw new ProfileError('WrongVersion', `${file}: $.version is not ${PROFILE_VERSION}`);
  return fields;
}

function readDevices(checker: Checker, value: unknown): readonly Device[] {
  const isNew = firstOfItsName(checker);
  return checker.list(value, '$.devices', (item, path) => {
    const device = readDevice(checker, item, path);
    if (device === undefined) return undefined;
    const { node, otherNodes, number, otherNumbers } = device;
    return isNew([node, ...otherNodes, number, ...otherNumbers], path) ? device : undefined;
  });
}

function readHeaps(checker: Checker, value: unknown): readonly HeapFacts[] {
  const isNew = firstOfItsName(checker);
  isNew([MEMFD_HEAP.id], '');
  return checker.list(value, '$.heaps', (item, path) => {
    const heap = readHeap(checker, item, path);
    return heap !== undefined && isNew([heap.id], path) ? heap : undefined;
  });
}

function readReach(
  checker: Checker,
  value: unknown,
  devices: readonly Device[],
  heaps: readonly HeapFacts[],
): readonly ReachFact[] {
  const known = new Set([...devices.map(({ node }) => node), ...heaps.map(({ id }) => id)]);
  return checker.list(value, '$.reach', (item, path) => {
    const fact = checker.check(ReachSchema, item, path);
    const stranger = fact && [fact.device, fact.heap].find((name) => !known.has(name));
    if (stranger === undefined) return fact;
    checker.warn(path, `nothing else is said of ${stranger}; left out`);
    return undefined;
  });
}

/** Whether the names have not come before; it is told when one has. */
function firstOfItsName(checker: Checker): (names: readonly string[], path: string) => boolean {
  const taken = new Set<string>();
  return (names, path) => {
    const twice = names.find((name) => taken.has(name));
    if (twice !== undefined) checker.warn(path, `${twice} is there twice; left out`);
    else for (const name of names) taken.add(name);
    return twice === undefined;
  };
}

/** A profile that cannot be used at all. */
export class ProfileError extends Error {
  /** `NotJson`: not a JSON object. `WrongVersion`: of another version. `NoMachine`: its machine is malformed. */
  readonly code: 'NotJson' | 'WrongVersion' | 'NoMachine';
  override readonly name = 'ProfileError';

  constructor(code: ProfileError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A heap of the document, or undefined with a warning. */
function readHeap(checker: Checker, item: unknown, path: string): HeapFacts | undefined {
  const read = checker.check(HeapSchema, item, path);
  if (read === undefined) return undefined;
  const { capacity, maxBuffer, usable = true, ...heap } = read;
  return {
    ...heap,
    ...(capacity && { capacity: bigFact(capacity) }),
    ...(maxBuffer && { maxBuffer: bigFact(maxBuffer) }),
    usable,
  };
}

/** A 64-bit number's text, which the schema has checked. */
const bigFact = ({ value, source }: Fact<string>): Fact<bigint> => ({ value: BigInt(value), source });
