import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { ALLOCATION, BROKER, DEVICE, PARTY, POOL, type InterfaceTable } from '../../daemon/bus/contract.js';
import { interfaceManual } from '../tools/manual/interface.js';
import { readIntrospection } from './introspection-reader.js';

const file = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const XML = file('dbus/org.dmabroker1.xml');
const PAGE = interfaceManual(XML);
const TABLES: readonly InterfaceTable[] = [BROKER, DEVICE, POOL, ALLOCATION, PARTY];

/** The section of an interface, which live introspection is compared with elsewhere. */
function sectionOf({ name }: InterfaceTable): string {
  const heading = `.Sh ${name.split('.').at(-1)?.toUpperCase() ?? ''} INTERFACE\n`;
  const [, section = ''] = PAGE.split(heading);
  return section.split('\n.Sh ')[0] ?? '';
}

/** Letters and digits alone: what filling and quoting of roff leave as it is. */
const bare = (text: string): string =>
  text
    .replaceAll(' Vt "', ' "')
    .replaceAll(/\\\[u[0-9A-F]+\]|^\.(?:It (?:Cm|Fa|Va|Vt)|Pp|E[ld]|B[ld].*|Em)/gm, '')
    .replaceAll(/[^A-Za-z0-9]/g, '');

describe('org.dmabroker1(5)', () => {
  test('is what the build makes of the XML file', () => {
    expect(file('dist/man/org.dmabroker1.5')).toBe(PAGE);
  });

  test.each(TABLES.map((table): [string, InterfaceTable] => [table.name, table]))(
    'has every member of %s, in order and with its types',
    (_, table) => {
      const section = sectionOf(table);
      const methods = [...section.matchAll(/^\.It Fn (\w+)(.*)$/gm)].map(([, name = '', args = '']) => [
        name,
        [...args.matchAll(/"([^"]*)"/g)].map(([, text]) => text),
      ]);
      const withDirection = (direction: string, args: Readonly<Record<string, string>>): readonly string[] =>
        Object.entries(args).map(([name, type]) => `${direction} ${type} ${name}`);
      expect(methods).toEqual(
        Object.entries(table.methods).map(([name, { in: given, out }]) => [
          name,
          [...withDirection('in', given), ...withDirection('out', out)],
        ]),
      );
      const properties = [...section.matchAll(/^\.It Va (\w+) Vt "([^"]*)"( Pq const)?$/gm)];
      expect(properties.map(([, name, type, isConst]) => [name, type, isConst !== undefined])).toEqual(
        Object.entries(table.properties).map(([name, { type, changes }]) => [
          name,
          type,
          changes === 'const',
        ]),
      );
    },
  );

  test('says of every method and argument what the XML file says', () => {
    const everything = bare(PAGE);
    const { documented } = readIntrospection(XML);
    const said = documented.filter(({ kind }) => kind === 'method' || kind === 'argument');
    expect(said.length).toBeGreaterThan(15);
    for (const { what, comment } of said) {
      const [, argument] = /\((.*)\)/.exec(what) ?? [];
      const own = argument === undefined ? comment : comment.replace(`${argument}:`, '');
      const [text = ''] = own.split(/^ *(?:Errors|Example):/m);
      for (const paragraph of text.split(/\n\s*\n/))
        expect(everything.includes(bare(paragraph)), `${what}: ${paragraph}`).toBe(true);
    }
  });
});
