import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logicalLines, MAX_LINE_CHARS } from '../../../daemon/policy/lines.js';

const read = (text: string) => [...logicalLines(Buffer.from(text))];
const texts = (text: string) => read(text).map((line) => line.text);

describe('logicalLines', () => {
  it('leaves out comments and empty lines, and the space around a line', () => {
    expect(texts('# one\n; two\n\n   \n  [A]  \n\tb=c\t\n')).toEqual(['[A]', 'b=c']);
  });

  it('keeps # and ; within a line', () => {
    expect(texts('a=#b ; c')).toEqual(['a=#b ; c']);
  });

  it('ends lines at LF and CR LF, and skips a byte order mark', () => {
    expect(texts('\uFEFFa=1\r\nb=2\r\n')).toEqual(['a=1', 'b=2']);
  });

  it('continues a line behind a backslash, with a space in its place', () => {
    expect(texts('a=min(1G, \\\n  # a comment between\n  2G)\nb=1')).toEqual(['a=min(1G,  2G)', 'b=1']);
  });

  it('ends a continued line at an empty line', () => {
    expect(texts('a=1 \\\n\nb=2')).toEqual(['a=1', 'b=2']);
  });

  it('takes two backslashes for two backslashes', () => {
    expect(texts('a=1\\\\\nb=2')).toEqual(['a=1\\\\', 'b=2']);
  });

  it('keeps what a last line continues with: nothing', () => {
    expect(texts('a=1\\')).toEqual(['a=1']);
  });

  it('knows where each character stands, over continued lines too', () => {
    const [line] = read('# first\n  key = \\\n     value');
    expect(line?.text).toBe('key =  value');
    expect(line?.at(0)).toEqual({ line: 2, column: 3 });
    expect(line?.at(line.text.indexOf('value'))).toEqual({ line: 3, column: 6 });
  });

  it.each([
    ['a NUL', 'a=\0'],
    ['an escape', 'a=\x1b[2J'],
    ['a lone CR', 'a=1\rb=2'],
  ])('finds no text in %s', (_, text) => {
    expect(read(text)[0]?.problem?.kind).toBe('not-text');
  });

  it('finds no text in bytes that are not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('a='), Buffer.from([0xff, 0xfe]), Buffer.from('\nb=2')]);
    const [bad, good] = logicalLines(bytes);
    expect(bad?.problem?.kind).toBe('not-text');
    expect(good).toMatchObject({ text: 'b=2' });
    expect(good?.problem).toBeUndefined();
  });

  it('gives up a line that is too long, and reads on', () => {
    const lines = read(`a=${'x'.repeat(MAX_LINE_CHARS)}\nb=2`);
    expect(lines[0]).toMatchObject({ text: '', problem: { kind: 'line-too-long' } });
    expect(lines[1]?.text).toBe('b=2');
  });

  it('counts the lines that continue one', () => {
    const long = `${'x'.repeat(MAX_LINE_CHARS / 2)}\\\n`;
    expect(read(`${long}${long}end`)[0]?.problem?.kind).toBe('line-too-long');
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const newlines = bytes.filter((byte) => byte === 0x0a).length;
        for (const line of logicalLines(bytes)) {
          const { line: number, column } = line.at(0);
          expect(number).toBeGreaterThanOrEqual(1);
          expect(number).toBeLessThanOrEqual(newlines + 1);
          expect(column).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});
