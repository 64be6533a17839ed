import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicyFile } from '../../../daemon/policy/parse.js';

const parse = (text: string) => parsePolicyFile('/etc/a.conf', Buffer.from(text));
const warnings = (text: string) => parse(text).warnings;

describe('parsePolicyFile', () => {
  it('keeps the text, the qualifier and the line of each setting', () => {
    const file = parse(
      '[Broker]\nMaxBuffer = 64M\n\n[Device amdgpu]\nPitchMultiple [decode:NV12] = 128\nPitchExact=\n',
    );
    expect(file.warnings).toEqual([]);
    expect(file.sections).toMatchObject([
      { name: 'Broker', settings: [{ text: '64M', qualifier: {}, source: 'policy:/etc/a.conf:2' }] },
      {
        name: 'Device',
        settings: [
          { text: '128', qualifier: { uses: ['decode'], formats: ['NV12'] }, source: 'policy:/etc/a.conf:5' },
          { text: '', qualifier: {}, source: 'policy:/etc/a.conf:6' },
        ],
      },
    ]);
  });

  it('names the first line of a continued one', () => {
    expect(parse('[Pool plain]\n# c\nLimit=min(1G, \\\n  2G)').sections[0]?.settings[0]).toMatchObject({
      text: 'min(1G,  2G)',
      source: 'policy:/etc/a.conf:3',
    });
  });

  it.each([
    ['[Device x]\nPitchAlign=3', '2:1: unknown key PitchAlign, did you mean PitchMultiple?'],
    ['[Device x]\npitchmultiple=3', '2:1: unknown key pitchmultiple, did you mean PitchMultiple?'],
    ['[Device x]\nColour=red', '2:1: unknown key Colour'],
    ['[Device x]\n=red', '2:1: no key before ='],
    ['[Device x]\n__proto__=3', '2:1: unknown key __proto__'],
    ['[Broker]\nLimit=3', '2:1: Limit belongs in a [Pool …] section'],
    ['[Pool plain]\nMaxBuffer=3', '2:1: MaxBuffer belongs in a [Broker] section'],
    [
      '[Device x]\n  PitchMultiple = 0',
      '2:19: PitchMultiple=0: it takes bytes, 1 to 4294967295; K, M and G multiply by 1024',
    ],
    ['[Device x]\nContiguous=maybe', '2:12: Contiguous=maybe: it takes one of yes, no, without-iommu'],
    ['[Device x]\nPitchLinked=yess', '2:13: PitchLinked=yess: it takes yes or no, did you mean yes?'],
    ['[Device x]\nPitchMultiple[decod]=8', '2:15: PitchMultiple: unknown use decod, did you mean decode?'],
    ['[Device x]\nPitchMultiple[decode=8', '2:21: PitchMultiple: no ] before ='],
    [
      '[Device x]\nContiguous[scanout]=yes',
      '2:11: Contiguous: it holds for every use and format, and takes no [ ]',
    ],
    [
      '[Broker]\nMaxBuffer=min(1G, 3 apples)',
      '2:21: MaxBuffer=min(1G, 3 apples): the units are K, M, G, T, % and frames',
    ],
    [
      '[Broker]\nMaxBuffer=min(1G, \\\n  3 apples)',
      '3:5: MaxBuffer=min(1G,  3 apples): the units are K, M, G, T, % and frames',
    ],
    ['[Broker]\njust words', '2:1: just words is no Key=value'],
    ['MaxBuffer=1G', '1:1: before the first [section]'],
    ['[Device x', '1:10: ignored section: no ] at its end'],
    [
      '[ Pool plian ]',
      '1:8: ignored section: the class is one of scattered, contiguous, device, protected, plain, did you mean plain?',
    ],
    ['[Broker]\nMaxBuffer=1\0', '2:1: not text: UTF-8 without control characters is'],
    [`[Broker]\n${'x'.repeat(50)}`, `2:1: ${'x'.repeat(40)}… is no Key=value`],
  ])('says what is wrong, and where: %j', (text, warning) => {
    expect(warnings(text)).toEqual([`/etc/a.conf:${warning}`]);
  });

  it('counts every good line beside a bad one', () => {
    const file = parse(
      '[Device x]\nPitchMultiple=64\nnonsense\nPitchMin=x\nPitchMax=512\n[Nope]\nA=1\n[Broker]\nMaxBuffer=1G',
    );
    expect(file.warnings).toHaveLength(3);
    expect(file.sections.map(({ name, settings }) => [name, settings.map(({ text }) => text)])).toEqual([
      ['Device', ['64', '512']],
      ['Broker', ['1G']],
    ]);
  });

  it('reports a bad section once, not each of its lines', () => {
    expect(warnings('[Nope]\nA=1\nB=2\n')).toEqual(['/etc/a.conf:1:2: ignored section: Nope is no section']);
  });

  it('has an end to its warnings', () => {
    const some = warnings(`[Broker]\n${'PlainOnSystemBuss=yes\n'.repeat(100_000)}`);
    expect(some).toHaveLength(51);
    expect(some.at(-1)).toBe('/etc/a.conf: 99950 more lines do not count');
  });

  it('takes a line of 1 MB, and the one behind it', () => {
    const file = parse(`[Broker]\nMaxBuffer=${'9'.repeat(1_000_000)}\nPlainOnSystemBus=yes\n`);
    expect(file.warnings).toEqual(['/etc/a.conf:2:1: line of more than 65536 characters']);
    expect(file.sections[0]?.settings).toHaveLength(1);
  });

  it('takes CR LF and a byte order mark', () => {
    const file = parse('\uFEFF[Broker]\r\nMaxBuffer=1G\r\n');
    expect(file).toMatchObject({ warnings: [], sections: [{ settings: [{ text: '1G' }] }] });
  });

  it('never throws', () => {
    const words = fc.constantFrom(
      '[',
      ']',
      'Device',
      'Pool',
      'Broker',
      ' ',
      '\n',
      '=',
      'driver',
      'amdgpu',
      '\\',
      '#',
      'PitchMultiple',
      '[decode:',
      'NV12',
      '64',
      'Limit',
      'min(',
      '%',
      '\0',
      '\r',
      'ß',
      '*',
      '|',
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      fc.array(words, { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(bytes, (bytes) => {
        for (const warning of parsePolicyFile('f', bytes).warnings) expect(warning).toMatch(/^f:\d+:\d+: ./);
      }),
      { numRuns: 2000 },
    );
  });
});
