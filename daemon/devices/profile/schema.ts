import { Type, type Static, type TSchema } from 'typebox';

import { boundsOf, limitsOf, WIDEST, type Limit } from '../../../dbus/limits.js';
import { MEMORY_CLASSES, USES } from '../../../dbus/names.js';
import { HEAP_KINDS, RETENTIONS } from '../inventory.js';
import { isU64 } from './big.js';

/** Version of the document; a reader refuses every other one. */
export const PROFILE_VERSION = 1;

const exact = { additionalProperties: false };
const optional = Type.Optional;

/** JSON's own numbers lose what is above 2^53, so that 64-bit ones are strings. */
const Big = Type.Refine(
  Type.String({
    pattern: '^(0x[0-9a-f]{1,16}|[0-9]{1,20})$',
    description: 'An unsigned 64-bit number, decimal, or 0x and hexadecimal.',
  }),
  isU64,
  () => 'must be a number of 64 bits',
);
const Modifier = Type.String({
  pattern: '^0x(?!0*f{14}$)[0-9a-f]{1,16}$',
  description: 'A DRM format modifier; 0x0 is linear. DRM_FORMAT_MOD_INVALID is none.',
});
const Fourcc = Type.String({
  pattern: '^[ -~]{4}$',
  description: 'A DRM fourcc with its trailing spaces.',
});
const Source = Type.String({
  minLength: 1,
  description:
    'Where the fact comes from: kernel:…, trial:…, probe:… or policy:FILE:LINE; unknown for a value that stands in.',
});
const Uses = Type.Array(Type.Enum([...USES]), { uniqueItems: true });
const Count = Type.Integer({ minimum: 1, maximum: 0xffff_ffff });
const Bits = Type.Integer({ minimum: 1, maximum: 64 });
const Node = Type.String({ pattern: '^/dev/[!-~]+$' });
const DeviceNumber = Type.String({ pattern: '^[0-9]+:[0-9]+$', description: 'major:minor' });

const fact = <T extends TSchema>(value: T) => Type.Object({ value, source: Source }, exact);

export const MachineSchema = Type.Object(
  {
    name: Type.String({ description: 'Product or board.' }),
    architecture: Type.String(),
    kernel: Type.String(),
    compatible: optional(Type.Array(Type.String(), { description: 'The board, in device-tree terms.' })),
    ram: fact(Big),
    ramTop: fact(Big),
    cmaTop: optional(fact(Big)),
    commandLine: optional(
      Type.String({ pattern: '^/', description: "File in which the kernel's command line is changed." }),
    ),
  },
  exact,
);

export const FormatsSchema = Type.Object(
  {
    formats: Type.Array(Fourcc, { minItems: 1, description: 'Formats that share the rest of the entry.' }),
    modifiers: Type.Array(Modifier),
    uses: Uses,
    source: Source,
  },
  exact,
);

export const OtherFormatSchema = Type.Object(
  {
    name: Type.String({ description: "The subsystem's name of a format that DRM has no fourcc for." }),
    uses: Uses,
    source: Source,
  },
  exact,
);

const limit = <T extends TSchema, K extends Limit>(names: readonly K[], value: T) =>
  Type.Object(
    {
      limit: Type.Enum([...names]),
      value,
      source: Source,
      uses: optional(Uses),
      formats: optional(Type.Array(Fourcc)),
    },
    exact,
  );

const numbers = limitsOf('u');
export const CountLimitSchema = limit(
  numbers.filter((name) => boundsOf(name).most === WIDEST),
  Count,
);
export const BitsLimitSchema = limit(
  numbers.filter((name) => boundsOf(name).most < WIDEST),
  Bits,
);
export const BigLimitSchema = limit(limitsOf('t'), Big);
export const FlagLimitSchema = Type.Object(
  {
    ...limit(limitsOf('b'), Type.Boolean()).properties,
    orApart: optional(
      Type.Literal(true, {
        description: 'Of planes-contiguous: planes that have descriptors of their own will do as well.',
      }),
    ),
  },
  exact,
);

export const ModeSchema = Type.Object(
  {
    connector: Type.String(),
    width: Count,
    height: Count,
    refresh: Type.Number({ minimum: 0, description: 'Frames a second.' }),
    preferred: optional(Type.Boolean()),
    current: optional(Type.Boolean()),
  },
  exact,
);

export const PictureSchema = Type.Object(
  {
    camera: Type.String({ description: 'For a person.' }),
    width: Count,
    height: Count,
    format: Type.String({ description: 'For a person: packed 10-bit Bayer.' }),
    bits: Type.Integer({ minimum: 1, maximum: 1024, description: 'Bits that a pixel takes.' }),
    source: Source,
  },
  exact,
);

/** Lists whose elements are read one by one, so that a malformed one costs no other. */
const deviceWith = <
  A extends TSchema,
  B extends TSchema,
  C extends TSchema,
  D extends TSchema,
  E extends TSchema,
>(lists: {
  formats: A;
  otherFormats: B;
  limits: C;
  modes: D;
  pictures: E;
}) =>
  Type.Object(
    {
      node: Node,
      otherNodes: optional(Type.Array(Node)),
      number: DeviceNumber,
      otherNumbers: optional(Type.Array(DeviceNumber)),
      subsystem: Type.Enum(['drm', 'video4linux']),
      driver: Type.String(),
      name: Type.String({ description: 'For a person.' }),
      compatible: optional(Type.Array(Type.String())),
      pci: optional(Type.String({ pattern: '^[0-9a-f]{4}:[0-9a-f]{4}$' })),
      uses: Uses,
      dmaMaskBits: optional(fact(Bits)),
      iommu: fact(Type.String({ description: 'DMA, DMA-FQ, identity, blocked, or none without a group.' })),
      memoryRegion: optional(fact(Type.String())),
      imports: optional(fact(Type.Boolean())),
      formats: optional(Type.Array(lists.formats)),
      otherFormats: optional(Type.Array(lists.otherFormats)),
      limits: optional(Type.Array(lists.limits)),
      modes: optional(Type.Array(lists.modes)),
      pictures: optional(Type.Array(lists.pictures)),
    },
    exact,
  );

const unread = Type.Unknown();
export const DeviceFrameSchema = deviceWith({
  formats: unread,
  otherFormats: unread,
  limits: unread,
  modes: unread,
  pictures: unread,
});

export const HeapSchema = Type.Object(
  {
    id: Type.String({ minLength: 1, description: 'dma-heap:NAME, udmabuf or drm-dumb:NODE.' }),
    kind: Type.Enum(HEAP_KINDS.filter((kind) => kind !== 'memfd')),
    name: Type.String({ minLength: 1 }),
    node: Node,
    class: fact(Type.Enum([...MEMORY_CLASSES])),
    contiguous: optional(fact(Type.Boolean())),
    cpuAccess: Type.Enum(['cached', 'uncached', 'none']),
    addressBits: optional(fact(Bits)),
    capacity: optional(fact(Big)),
    maxBuffer: optional(fact(Big)),
    retention: optional(fact(Type.Enum([...RETENTIONS]))),
    usable: optional(Type.Boolean({ description: 'Whether the daemon may open it; true when absent.' })),
    unusable: optional(Type.String({ description: 'Why it may not.' })),
  },
  exact,
);

export const ReachSchema = Type.Object(
  {
    device: Node,
    heap: Type.String(),
    reachable: Type.Boolean(),
    source: Source,
    uses: optional(Uses),
  },
  exact,
);

export const ProvenanceSchema = Type.Union([
  Type.Object({ kind: Type.Enum(['recorded']), at: Type.String(), kernel: Type.String() }, exact),
  Type.Object(
    {
      kind: Type.Enum(['imported']),
      at: Type.String(),
      from: Type.Array(Type.String(), {
        minItems: 1,
        description: 'What other tools printed, and the files.',
      }),
    },
    exact,
  ),
  Type.Object(
    {
      kind: Type.Enum(['constructed']),
      from: Type.Array(Type.String(), { minItems: 1, description: 'Titles of the public documentation.' }),
    },
    exact,
  ),
]);

export const ProfileSchema = Type.Object(
  {
    version: Type.Enum([PROFILE_VERSION]),
    provenance: ProvenanceSchema,
    machine: MachineSchema,
    devices: Type.Array(
      deviceWith({
        formats: FormatsSchema,
        otherFormats: OtherFormatSchema,
        limits: Type.Union([CountLimitSchema, BitsLimitSchema, BigLimitSchema, FlagLimitSchema]),
        modes: ModeSchema,
        pictures: PictureSchema,
      }),
      { description: 'All devices but cpu, which is the same on every machine.' },
    ),
    heaps: Type.Array(HeapSchema, {
      description: 'All heaps but memfd, which is the same on every machine.',
    }),
    reach: optional(Type.Array(ReachSchema, { description: 'What trial imports showed.' })),
    warnings: optional(Type.Array(Type.String(), { description: 'What could not be read of the machine.' })),
  },
  {
    ...exact,
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'dmabroker hardware profile',
    description:
      'The devices and heaps of one machine, as dmabrokerctl record writes and dmabrokerd --profile reads them.',
  },
);

/** The document as JSON holds it. */
export type ProfileDocument = Static<typeof ProfileSchema>;
export type ProfileDevice = ProfileDocument['devices'][number];
export type ProfileFormats = Static<typeof FormatsSchema>;
export type ProfileLimit = NonNullable<ProfileDevice['limits']>[number];
export type ProfileMode = Static<typeof ModeSchema>;
export type ProfileReach = Static<typeof ReachSchema>;
export type ProfileHeap = Static<typeof HeapSchema>;
/** Who made the profile, and from what. */
export type Provenance = Static<typeof ProvenanceSchema>;
