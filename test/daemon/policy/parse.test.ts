import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicyFile } from '../../../daemon/policy/parse.js';
import { printProblem } from '../../../daemon/policy/problem.js';
import type { ProblemKind } from '../../../daemon/policy/problem.js';
import { naming } from '../../harness/naming.js';

const parse = (text: string) => parsePolicyFile('/etc/a.conf', Buffer.from(text));
const problems = (text: string) => parse(text).problems;

describe('parsePolicyFile', () => {
  it('keeps the text, the qualifier and the line of each setting', () => {
    const file = parse(
      '[Broker]\nMaxBuffer = 64M\n\n[Device amdgpu]\nPitchMultiple [decode:NV12] = 128\nPitchExact=\n',
    );
    expect(file.problems).toEqual([]);
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

  it.each<[string, string, ProblemKind, (string | undefined)?, string?]>([
    ['[Device x]\nPitchAlign=3', '2:1', 'unknown-key', undefined, 'PitchMultiple'],
    ['[Device x]\npitchmultiple=3', '2:1', 'unknown-key', undefined, 'PitchMultiple'],
    ['[Device x]\nColour=red', '2:1', 'unknown-key'],
    ['[Device x]\n=red', '2:1', 'no-key'],
    ['[Device x]\n__proto__=3', '2:1', 'unknown-key'],
    ['[Broker]\nLimit=3', '2:1', 'misplaced-key', undefined, 'Pool'],
    ['[Pool plain]\nMaxBuffer=3', '2:1', 'misplaced-key', undefined, 'Broker'],
    ['[Device x]\n  PitchMultiple = 0', '2:19', 'bad-value', 'PitchMultiple'],
    ['[Device x]\nContiguous=maybe', '2:12', 'bad-value', 'Contiguous'],
    ['[Device x]\nPitchLinked=yess', '2:13', 'bad-value', 'PitchLinked', 'yes'],
    ['[Device x]\nPitchMultiple[decod]=8', '2:15', 'unknown-use', 'PitchMultiple', 'decode'],
    ['[Device x]\nPitchMultiple[decode=8', '2:21', 'unclosed-qualifier', 'PitchMultiple'],
    ['[Device x]\nContiguous[scanout]=yes', '2:11', 'unqualified-key', 'Contiguous'],
    ['[Device x]\nPitchExact[pitch>64]=8', '2:12', 'unqualified-key', 'PitchExact'],
    ['[Device x]\nForeignImports[width>64]=no', '2:16', 'unqualified-key', 'ForeignImports'],
    ['[Device x]\nPitchMultiple[scanout,pitch>]=8', '2:23', 'bad-size-condition', 'PitchMultiple'],
    ['[Broker]\nMaxBuffer=min(1G, 3 apples)', '2:21', 'unknown-unit', 'MaxBuffer'],
    ['[Broker]\nMaxBuffer=min(1G, \\\n  3 apples)', '3:5', 'unknown-unit', 'MaxBuffer'],
    ['[Broker]\njust words', '2:1', 'no-assignment'],
    ['MaxBuffer=1G', '1:1', 'outside-section'],
    ['[Device x', '1:10', 'unclosed-heading'],
    ['[ Pool plian ]', '1:8', 'unknown-class', undefined, 'plain'],
    ['[Broker]\nMaxBuffer=1\0', '2:1', 'not-text'],
    [`[Broker]\n${'x'.repeat(50)}`, '2:1', 'no-assignment'],
  ])('says what is wrong, and where: %j', (text, place, kind, key, suggestion) => {
    const [line, column] = place.split(':').map(Number);
    expect(problems(text)).toEqual([
      {
        file: '/etc/a.conf',
        line,
        column,
        kind,
        ...(key !== undefined && { key }),
        ...(suggestion !== undefined && { suggestion }),
        text: expect.stringMatching(
          naming(...[key, suggestion].filter((value) => value !== undefined)),
        ) as string,
      },
    ]);
  });

  it.each([
    ['[Device x]\nPitchMultiple = 0', ['PitchMultiple=0', 1, 4_294_967_295, 'K', 'M', 'G']],
    ['[Device x]\nContiguous=maybe', ['Contiguous=maybe', 'yes', 'no', 'without-iommu']],
    ['[Device x]\nColour=red', ['Colour']],
    ['[Broker]\nMaxBuffer=1 apple', ['MaxBuffer=1 apple', 'K', 'M', 'G', 'T', '%', 'frames']],
    [`[Broker]\n${'x'.repeat(50)}`, [`${'x'.repeat(40)}…`]],
  ])('repeats what stands there, and names what may: %j', (text, values) => {
    expect(problems(text)[0]?.text).toMatch(naming(...values));
  });

  it('counts every good line beside a bad one', () => {
    const file = parse(
      '[Device x]\nPitchMultiple=64\nnonsense\nPitchMin=x\nPitchMax=512\n[Nope]\nA=1\n[Broker]\nMaxBuffer=1G',
    );
    expect(file.problems).toHaveLength(3);
    expect(file.sections.map(({ name, settings }) => [name, settings.map(({ text }) => text)])).toEqual([
      ['Device', ['64', '512']],
      ['Broker', ['1G']],
    ]);
  });

  it('reports a bad section once, not each of its lines', () => {
    expect(problems('[Nope]\nA=1\nB=2\n')).toMatchObject([
      { file: '/etc/a.conf', line: 1, column: 2, kind: 'unknown-section' },
    ]);
  });

  it('has an end to its warnings', () => {
    const some = problems(`[Broker]\n${'PlainOnSystemBuss=yes\n'.repeat(100_000)}`);
    expect(some).toHaveLength(51);
    expect(some.at(-1)).toEqual({
      file: '/etc/a.conf',
      kind: 'more',
      text: expect.stringMatching(naming(99_950)) as string,
    });
  });

  it('takes a line of 1 MB, and the one behind it', () => {
    const file = parse(`[Broker]\nMaxBuffer=${'9'.repeat(1_000_000)}\nPlainOnSystemBus=yes\n`);
    expect(file.problems).toMatchObject([{ line: 2, column: 1, kind: 'line-too-long' }]);
    expect(file.sections[0]?.settings).toHaveLength(1);
  });

  it('takes CR LF and a byte order mark', () => {
    const file = parse('\uFEFF[Broker]\r\nMaxBuffer=1G\r\n');
    expect(file).toMatchObject({ problems: [], sections: [{ settings: [{ text: '1G' }] }] });
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
        for (const problem of parsePolicyFile('f', bytes).problems)
          expect(printProblem(problem)).toMatch(/^f:\d+:\d+: ./);
      }),
      { numRuns: 2000 },
    );
  });
});
