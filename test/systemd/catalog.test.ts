import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { FIELDS } from '../../daemon/service/journald.js';
import { MESSAGES } from '../../daemon/base/messages.js';

/** An entry of a catalog: its id, and what stands below (systemd.io, "Journal Message Catalogs"). */
interface Entry {
  readonly id: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/** @throws {Error} for what journald would not read either */
function parseCatalog(catalog: string): readonly Entry[] {
  const [before = '', ...parts] = catalog.split(/^-- /m);
  if (before.split('\n').some((line) => line !== '' && !line.startsWith('#')))
    throw new Error('there is text before the first entry');
  return parts.map((part) => {
    const [id = '', ...lines] = part.split('\n');
    const end = lines.indexOf('');
    const headers = lines.slice(0, end).map((line): [string, string] => {
      const [, name, value] = /^([A-Z][A-Za-z-]*): (\S.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`not a header: ${line}`);
      return [name, value];
    });
    return { id, headers: new Map(headers), text: lines.slice(end).join('\n').trim() };
  });
}

const CATALOG = readFileSync(new URL('../../systemd/dmabroker.catalog', import.meta.url), 'utf8');
const ENTRIES = parseCatalog(CATALOG);
const NAMES = new Map<string, string>(Object.entries(MESSAGES).map(([name, id]) => [id, name]));
const named = ENTRIES.map((entry) => [NAMES.get(entry.id) ?? entry.id, entry] as const);

/** What journald puts a field's value in the place of. */
const fieldsIn = ({ text, headers }: Entry): readonly string[] =>
  [...`${headers.get('Subject') ?? ''}\n${text}`.matchAll(/@([^@\s]*)@/g)].map(([, field = '']) => field);

/** What every entry of the journal has, besides our own fields. */
const ALWAYS = ['MESSAGE', 'PRIORITY', '_PID', '_HOSTNAME'];

describe('the catalog of messages', () => {
  it('has an entry for each message of the table, and no other', () => {
    expect(ENTRIES.map(({ id }) => id)).toEqual(Object.values(MESSAGES));
    expect(new Set(Object.values(MESSAGES)).size).toBe(Object.values(MESSAGES).length);
  });

  it.each(Object.entries(MESSAGES))('has for %s an id as systemd makes them', (_name, id) => {
    // sd_id128_randomize(3): a random UUID, of version 4.
    expect(id).toMatch(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  });

  it.each(named)('explains %s', (_name, entry) => {
    expect([...entry.headers.keys()]).toEqual(['Subject', 'Defined-By', 'Documentation']);
    expect(entry.headers.get('Subject')?.length).toBeLessThan(80);
    expect(entry.headers.get('Subject')).not.toMatch(/\.$/);
    expect(entry.text).toMatch(/[.]$/);
    for (const line of entry.text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it.each(named)('names no field for %s that the journal cannot have', (_name, entry) => {
    expect([...FIELDS.values(), ...ALWAYS]).toEqual(expect.arrayContaining([...fieldsIn(entry)]));
  });
});
