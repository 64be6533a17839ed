import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MEMORY_CLASSES, USES } from '../../../dbus/names.js';
import { KEYS, SECTIONS } from '../../../daemon/policy/keys.js';
import { parsePolicyFile } from '../../../daemon/policy/parse.js';
import { evaluate } from '../../../daemon/policy/size-expression.js';
import { parseSize } from '../../../daemon/policy/size-parser.js';

const path = fileURLToPath(new URL('../../../policy/dmabroker.conf.5', import.meta.url));
const page = readFileSync(path, 'utf8');

/** The page's part on a section of the files, without its line breaks. */
function part(section: string): string {
  const start = page.indexOf(`.Ss [${section}`);
  const rest = page.slice(start + 1);
  const end = rest.search(/^\.S[sh] /m);
  return (end === -1 ? rest : rest.slice(0, end)).replaceAll('\n', ' ');
}

describe('dmabroker.conf(5)', () => {
  it.each(SECTIONS)('has every key of [%s], in the order of the table, and no other', (section) => {
    const keys = [...part(section).matchAll(/\.It Ic (\w+)/g)].map(([, key]) => key);
    expect(keys).toEqual(Object.keys(KEYS[section]));
  });

  it.each(
    SECTIONS.flatMap((section) =>
      Object.entries(KEYS[section]).map(([name, key]) => [section, name, key] as const),
    ),
  )('says of [%s] %s what the table says', (section, name, key) => {
    const [, text = ''] = part(section).split(new RegExp(`\\.It Ic ${name} .*?(?=[A-Z][a-z]* )`));
    const own = text.split('.It ', 1)[0] ?? '';
    expect(own).toContain(key.doc);
    if (key.builtIn === undefined) expect(own).not.toContain('Default: ');
    else expect(own).toContain(`Default: .Ql ${key.type.print(key.builtIn)} .`);
  });

  it('names every use and every class', () => {
    for (const word of [...USES, ...MEMORY_CLASSES])
      expect(page).toMatch(new RegExp(`^(\\.Cm |)[a-z ,]*\\b${word}\\b`, 'm'));
  });

  it('has examples that are good policy', () => {
    const examples = [...page.matchAll(/^(# \/etc.*\n[^]*?\n)\.Ed/gm)].map(([, text = '']) =>
      parsePolicyFile('example', Buffer.from(text)),
    );
    expect(examples.flatMap(({ problems }) => problems)).toEqual([]);
    expect(examples.map(({ sections }) => sections.map(({ name }) => name))).toEqual([
      ['Pool'],
      ['Quota', 'Quota'],
      ['Pool', 'Device', 'Device', 'Heap'],
    ]);
  });

  it('says of each size what it comes to', () => {
    const uhd = { ram: 2n ** 40n, frame: { width: 3840, height: 2160 } };
    const said = page.slice(page.indexOf('.Bl -tag -width "min(25%'));
    for (const text of [
      '64M',
      '12.5%',
      '6 frames + 1M',
      'min(80% of heap, 7%)',
      'min(25%, max(6 frames, 64M))',
    ]) {
      expect(said).toContain(`.It Ql ${text}\n`);
      expect(parseSize(text).ok).toBe(true);
    }
    const size = parseSize('6 frames + 1M');
    expect(size.ok && Number(evaluate(size.value, uhd)) / 1e6).toBeCloseTo(200, 0);
  });

  it.skipIf(man(['--version']).error)('is a page that man sets without a warning', () => {
    const { status, stderr, stdout } = man(['--warnings', '-l', path]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('PitchMultiple=bytes');
  });
});

function man(options: readonly string[]) {
  const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80' };
  return spawnSync('man', options, { encoding: 'utf8', env });
}
