import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MEMORY_CLASSES } from '../../../dbus/names.js';
import { mergePolicy } from '../../../daemon/policy/merge.js';
import { parsePolicyFile } from '../../../daemon/policy/parse.js';
import type { Policy, PolicyValue } from '../../../daemon/policy/policy.js';

/** Whose sections are asked for; each is known by name of the headings below that fit it. */
const ANNA = { uid: 1000, user: 'anna', groups: ['video'], unit: 'app-x.scope' };
const GPU = { driver: 'amdgpu', compatible: [], pci: '1002:73bf', number: '226:0' };
const CMA = { kind: 'dma-heap', name: 'reserved' };
const MACHINE = { ram: 2n ** 34n, heap: 2n ** 28n, frame: { width: 1920, height: 1080 } };

/** Headings, each with what its settings count for; `nothing` for those that do not fit or are no headings. */
const HEADINGS: readonly (readonly [text: string, counts: string])[] = [
  ['[Broker]', 'Broker'],
  ['[ Broker ]', 'Broker'],
  ...MEMORY_CLASSES.map((name) => [`[Pool ${name}]`, `Pool ${name}`] as const),
  ['[Quota]', 'Quota'],
  ['[Quota user:anna]', 'Quota'],
  ['[Quota group:v* unit:app-?.scope]', 'Quota'],
  ['[Quota uid:1000|1001]', 'Quota'],
  ['[Quota user:otto]', 'nothing'],
  ['[Device amdgpu]', 'Device'],
  ['[Device pci=1002:* driver=amd*]', 'Device'],
  ['[Device i915]', 'nothing'],
  ['[Heap kind=dma-heap]', 'Heap'],
  ['[Heap system]', 'nothing'],
  ['[Broker', 'nothing'],
  ['[Pool]', 'nothing'],
  ['[Pool contigous]', 'nothing'],
  ['[Quota user=anna]', 'nothing'],
  ['[Device drvr=amdgpu]', 'nothing'],
  ['[]', 'nothing'],
  ['[Nope x]', 'nothing'],
];

const SIZES = ['64M', '12.5%', 'min(1G, 3 frames)', 'max(10%, 20% of ram) + 1M', '0'];
const BAD_SIZES = ['', '64X', 'min(', '5 frame s', '-1', '1.5', '1 + + 1', '%'];
const NUMBERS = ['0', '7', '4294967295'];
const BAD_NUMBERS = ['', '-1', 'many', '4294967296', '1.5'];

/** Values that each key takes and does not; an empty one takes back. */
const KEYS: Readonly<
  Record<string, Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>>>
> = {
  Broker: {
    MaxBuffer: [SIZES, [...BAD_SIZES, '80% of heap']],
    DisplayFrames: [
      ['0', '3'],
      ['', '-1', '1001', 'all'],
    ],
    CameraFrames: [
      ['0', '1000'],
      ['', '1.5'],
    ],
    PlainOnSystemBus: [
      ['yes', 'No', '1'],
      ['', 'maybe'],
    ],
  },
  Pool: {
    Limit: [[...SIZES, '80% of heap'], BAD_SIZES],
    Share: [
      ['1%', '50%', '100%'],
      ['0%', '101%', '50', '-1%', '1.5%'],
    ],
    Warm: [[...SIZES, '25% of heap'], BAD_SIZES],
    Idle: [
      ['30s', '5min', 'infinity', '1h 30min', '0'],
      ['', '-1s', 'soon', '3 moons'],
    ],
    Access: [
      ['users', 'group:video', 'active-session administrator'],
      ['', 'root', 'group:'],
    ],
  },
  Quota: {
    Bytes: [SIZES, [...BAD_SIZES, '80% of heap']],
    Buffers: [NUMBERS, BAD_NUMBERS],
    ClientBytes: [SIZES, BAD_SIZES],
    ClientBuffers: [NUMBERS, BAD_NUMBERS],
    UnitBytes: [SIZES, BAD_SIZES],
    UnitBuffers: [NUMBERS, BAD_NUMBERS],
    Channels: [NUMBERS, BAD_NUMBERS],
    ClientChannels: [NUMBERS, BAD_NUMBERS],
    Rate: [NUMBERS, BAD_NUMBERS],
    Burst: [NUMBERS, BAD_NUMBERS],
  },
  Device: {
    Contiguous: [
      ['yes', 'no', 'without-iommu'],
      ['', 'maybe'],
    ],
    ForeignImports: [
      ['yes', 'no', 'tried'],
      ['', '2'],
    ],
  },
  Heap: {
    Use: [
      ['yes', 'no'],
      ['', 'x'],
    ],
    Class: [[...MEMORY_CLASSES], ['', 'secure']],
    Contiguous: [
      ['yes', 'no', 'without-iommu'],
      ['', 'sometimes'],
    ],
    AddressBits: [
      ['32', '64'],
      ['', '65'],
    ],
    Geometry: [
      ['yes', 'no'],
      ['', 'wide'],
    ],
    Order: [
      ['-5', '7'],
      ['', '1001'],
    ],
  },
};

/** A line, and what it is to whoever counts by hand. */
type Line =
  | { readonly text: string; readonly heading: string }
  | {
      readonly text: string;
      readonly key: string;
      readonly word: 'good' | 'back' | 'bad';
      readonly of: string;
    }
  | { readonly text: string };

const headings: fc.Arbitrary<Line> = fc
  .constantFrom(...HEADINGS)
  .map(([text, heading]) => ({ text, heading }));

const settings: fc.Arbitrary<Line> = fc
  .constantFrom(
    ...Object.entries(KEYS).flatMap(([of, keys]) =>
      Object.entries(keys).flatMap(([key, [good, bad]]) => [
        ...good.map((value) => ({ of, key, value, word: 'good' as const })),
        ...bad.map((value) => ({
          of,
          key,
          value,
          word: value === '' ? ('back' as const) : ('bad' as const),
        })),
      ]),
    ),
  )
  .chain(({ value, ...rest }) =>
    fc.constantFrom('=', ' = ', '= ').map((sign) => ({ ...rest, text: `${rest.key}${sign}${value}` })),
  );

const junk: fc.Arbitrary<Line> = fc
  .oneof(
    fc.constantFrom(
      '',
      '   ',
      '# Limit=1',
      '; [Broker]',
      'words',
      '=',
      'Limit',
      'PitchAlign=64',
      'Limit[x]=1',
      '\0',
    ),
    fc.string({
      unit: fc.constantFrom('L', '=', '#', 'é', '%', '(', '\u{1f600}', '\t', '\x07'),
      maxLength: 9,
    }),
  )
  // Neither a heading nor a continuation, which would make the next line part of this one.
  .map((text) => ({ text }));

/** A heading before every few settings, most of which belong there. */
const block: fc.Arbitrary<readonly Line[]> = headings.chain((heading) => {
  const [section] = 'heading' in heading ? heading.heading.split(' ') : [];
  const own = settings.filter((line) => !('of' in line) || line.of === section || section === 'nothing');
  return fc
    .array(
      fc.oneof(
        { weight: 6, arbitrary: own },
        { weight: 1, arbitrary: settings },
        { weight: 1, arbitrary: junk },
      ),
      {
        maxLength: 6,
      },
    )
    .map((lines) => [heading, ...lines]);
});
const fileOfBlocks = fc
  .tuple(fc.array(junk, { maxLength: 1 }), fc.array(block, { maxLength: 4 }))
  .map(([before, blocks]) => [...before, ...blocks.flat()]);

/** By hand: for each key of each section that fits, the place of the last word; what was taken back has none. */
function lastWords(files: readonly (readonly Line[])[]): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const [file, lines] of files.entries()) {
    let counts = 'nothing';
    for (const [index, line] of lines.entries()) {
      if ('heading' in line) counts = line.heading;
      const [section = ''] = counts.split(' ');
      // A key of two sections is the same words in both.
      if (!('key' in line) || !Object.hasOwn(KEYS[section] ?? {}, line.key)) continue;
      const name = `${counts} ${line.key}`;
      if (line.word === 'good') words.set(name, `policy:${file}.conf:${index + 1}`);
      if (line.word === 'back') words.delete(name);
    }
  }
  return words;
}

/** Every value of a policy, under the names that are used above; undefined where policy says nothing. */
function valuesOf(policy: Policy): ReadonlyMap<string, PolicyValue<unknown> | undefined> {
  const { contiguous, foreignImports } = policy.device(GPU);
  const { use, class: memoryClass, contiguous: inOnePiece, addressBits, geometry, order } = policy.heap(CMA);
  const quota = policy.quota(ANNA, MACHINE);
  return new Map<string, PolicyValue<unknown> | undefined>([
    ['Broker MaxBuffer', policy.maxBuffer(MACHINE)],
    ['Broker PlainOnSystemBus', policy.plainOnSystemBus()],
    ['Broker DisplayFrames', policy.frames().display],
    ['Broker CameraFrames', policy.frames().camera],
    ...MEMORY_CLASSES.flatMap((name): [string, PolicyValue<unknown>][] => {
      const { limit, share, warm, idle, access } = policy.pool(name, MACHINE);
      return [
        [`Pool ${name} Limit`, limit],
        [`Pool ${name} Share`, share],
        [`Pool ${name} Warm`, warm],
        [`Pool ${name} Idle`, idle],
        [`Pool ${name} Access`, access],
      ];
    }),
    ['Quota Bytes', quota.bytes],
    ['Quota Buffers', quota.buffers],
    ['Quota ClientBytes', quota.clientBytes],
    ['Quota ClientBuffers', quota.clientBuffers],
    ['Quota UnitBytes', quota.unitBytes],
    ['Quota UnitBuffers', quota.unitBuffers],
    ['Quota Channels', quota.channels],
    ['Quota ClientChannels', quota.clientChannels],
    ['Quota Rate', quota.rate],
    ['Quota Burst', quota.burst],
    ['Device Contiguous', contiguous],
    ['Device ForeignImports', foreignImports],
    ['Heap Use', use],
    ['Heap Class', memoryClass],
    ['Heap Contiguous', inOnePiece],
    ['Heap AddressBits', addressBits],
    ['Heap Geometry', geometry],
    ['Heap Order', order],
  ]);
}

/** Sections whose keys are built in; the others say nothing. */
const hasBuiltIn = (name: string): boolean => /^(Broker|Pool|Quota) /.test(name);

const read = (texts: readonly Uint8Array[]): Policy =>
  mergePolicy(texts.map((text, index) => parsePolicyFile(`${index}.conf`, text)));

describe('ten thousand random files', () => {
  it('never crash, and give each value from the last line that says it', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.array(fileOfBlocks, { minLength: 1, maxLength: 3 }), (files) => {
        const policy = read(files.map((lines) => Buffer.from(lines.map(({ text }) => `${text}\n`).join(''))));
        const words = lastWords(files);
        for (const [name, value] of valuesOf(policy)) {
          const said = words.get(name) ?? (hasBuiltIn(name) ? 'policy:built-in' : undefined);
          expect([name, value?.source]).toEqual([name, said]);
        }
        const bad = files.flat().filter((line) => 'word' in line && line.word === 'bad');
        if (policy.warnings.length === 0) expect(bad).toEqual([]);
        for (const warning of policy.warnings) expect(warning).toMatch(/^[0-2]\.conf:\d+:\d+: ./);
      }),
      { numRuns: 6000 },
    );
  });

  it('never crash, whatever their bytes', { timeout: 60_000 }, () => {
    const pieces = fc.constantFrom(
      ...HEADINGS.map(([text]) => text),
      ...[
        '\n',
        '\\\n',
        '\r\n',
        '=',
        ' ',
        'Limit',
        'Warm=',
        'Idle=5min',
        'Access=',
        'group:',
        'Bytes=1',
        'min(',
      ],
      ...[
        'PitchMultiple',
        '[decode:NV12]',
        '64',
        '%',
        ' of heap',
        '\0',
        '\u{feff}',
        '#',
        ';',
        '*',
        '|',
        ',',
        ')',
      ],
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(pieces, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
      fc
        .tuple(fc.array(pieces, { maxLength: 20 }), fc.uint8Array({ maxLength: 20 }))
        .map(([parts, tail]) => Buffer.concat([Buffer.from(parts.join('')), tail])),
    );
    fc.assert(
      fc.property(bytes, (text) => {
        const policy = read([text]);
        const lines = text.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 1);
        for (const [name, value] of valuesOf(policy)) {
          if (value === undefined) expect(hasBuiltIn(name)).toBe(false);
          else expect(placeOf(value.source)).toBeLessThanOrEqual(lines);
        }
        for (const { source } of policy.device(GPU).limits)
          expect(placeOf(source)).toBeLessThanOrEqual(lines);
        for (const warning of policy.warnings) expect(warning).toMatch(/^0\.conf(:\d+:\d+)?: ./);
      }),
      { numRuns: 4000 },
    );
  });
});

/** The line of a source; 0 of what is built in. */
function placeOf(source: string): number {
  if (source === 'policy:built-in') return 0;
  const [, line] = /^policy:0\.conf:(\d+)$/.exec(source) ?? [];
  return Number(line);
}
