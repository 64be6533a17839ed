import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { GLOBAL_OPTIONS } from '../../../client/cli/arguments.js';
import { VERBS } from '../../../client/cli/verbs/index.js';
import { Broker } from '../../../client/broker.js';
import { CLIENT_ERRORS } from '../../../client/errors.js';
import * as library from '../../../client/index.js';
import { Party } from '../../../client/party.js';
import {
  BUFFER_KEYS,
  COLLECTION_KEYS,
  INVITE_KEYS,
  NEEDS_KEYS,
  NEGOTIATE_KEYS,
} from '../../../client/wire/keys.js';
import { PARTY } from '../../../daemon/bus/contract.js';
import { ERRORS } from '../../../dbus/errors.js';
import { USES } from '../../../dbus/names.js';

const file = (name: string): string => fileURLToPath(new URL(`../../../client/man/${name}`, import.meta.url));
const program = readFileSync(file('dmabrokerctl.1'), 'utf8');
const manual = readFileSync(file('dmabroker.3'), 'utf8');

/** Words after mdoc's macros, without punctuation that stands alone. */
const wordsOf = (page: string, macro: string): readonly string[] =>
  [...page.matchAll(new RegExp(`^\\.(?:.* )?${macro} (.*)$`, 'gm'))].flatMap(([, words = '']) =>
    words.split(' '),
  );

describe('dmabrokerctl(1)', () => {
  it('describes every verb and its operands', () => {
    const items = [...program.matchAll(/^\.It Cm ([a-z].*)$/gm)].map(([, item = '']) => item);
    const of = (name: string) => items.filter((item) => item === name || item.startsWith(`${name} `));
    expect(new Set(VERBS.flatMap(({ name }) => of(name)))).toEqual(new Set(items));
    for (const { name, operands = '' } of VERBS) {
      expect(of(name)).not.toEqual([]);
      for (const word of operands.toLowerCase().match(/[a-z]+/g) ?? [])
        expect(
          of(name)
            .map((item) => item.slice(name.length))
            .join(),
        ).toContain(word);
    }
  });

  it('describes every option, and no other', () => {
    const options = [...GLOBAL_OPTIONS, ...VERBS.flatMap((verb) => verb.options ?? [])].map(
      ({ name }) => name,
    );
    const described = [...program.matchAll(/Fl -([a-z]+(?:-[a-z]+)*)/g)].map(([, name]) => name);
    expect(new Set(described)).toEqual(new Set([...options, 'profile']));
  });

  it('names every use, and the list of modifiers', () => {
    const named = wordsOf(program, 'Cm');
    for (const word of [...USES, 'modifiers']) expect(named).toContain(word);
  });
});

describe('dmabroker-negotiation(7)', () => {
  const page = readFileSync(file('dmabroker-negotiation.7'), 'utf8');

  it('has every method that a party calls, and every part of one', () => {
    const named = wordsOf(page, 'Fn');
    const methods = [...Object.keys(PARTY.methods), 'Negotiate', 'Join'].filter(
      (name) => name !== 'Withdraw',
    );
    for (const name of methods) expect(named).toContain(name);
    for (const part of ['must', 'may', 'late']) expect(page).toContain(`.It Cm ${part}\n`);
  });

  it('names errors that there are', () => {
    const errors = new Set(wordsOf(page, 'Er').filter((word) => /^[A-Z]/.test(word)));
    expect(errors.size).toBeGreaterThan(5);
    for (const error of errors) expect([...Object.keys(ERRORS), 'UnknownObject']).toContain(error);
  });
});

describe('dmabroker(3)', () => {
  it('describes every function', () => {
    const functions = Object.entries(library).filter(([, value]) => typeof value === 'function');
    const methods = Object.getOwnPropertyNames(Broker.prototype).filter((name) => name !== 'constructor');
    const described = wordsOf(manual, 'Fn');
    for (const [name] of functions) if (name !== 'DmabrokerError') expect(described).toContain(name);
    for (const name of methods) expect(described).toContain(`broker.${name}`);
    const calls = Object.entries(Object.getOwnPropertyDescriptors(Party.prototype)).filter(
      ([name, { value }]) => name !== 'constructor' && typeof value === 'function',
    );
    for (const [name] of calls) expect(described).toContain(`party.${name}`);
  });

  it('names every type that the library exports, and no other', () => {
    const index = readFileSync(fileURLToPath(new URL('../../../client/index.ts', import.meta.url)), 'utf8');
    const exported = [...index.matchAll(/^export (type )?\{([^}]*)\} from/gm)].flatMap(
      ([, all = '', names = '']) =>
        names
          .split(',')
          .map((name) => name.trim())
          .filter(Boolean)
          .map((name) => (name.startsWith('type ') ? name.slice('type '.length) : all === '' ? '' : name)),
    );
    const [, section = ''] = /^\.Ss Types$([^]*?)^\.Sh /m.exec(manual) ?? [];
    const listed = [...section.matchAll(/^\.It Vt (.*)$/gm)].flatMap(([, names = '']) => names.split(' , '));
    const classes = Object.entries(library).flatMap(([name]) => (name === 'DmabrokerError' ? [name] : []));
    expect(listed.toSorted()).toEqual([...exported.filter(Boolean), ...classes].toSorted());
  });

  it('names every key of a request', () => {
    const named = wordsOf(manual, 'Va');
    const keys = [BUFFER_KEYS, COLLECTION_KEYS, INVITE_KEYS, NEEDS_KEYS, NEGOTIATE_KEYS].flatMap(Object.keys);
    for (const key of [...keys, 'uses']) expect(named).toContain(key);
  });

  it('describes every error code, and no other', () => {
    const codes = [...manual.matchAll(/^\.It Cm (\w+)$/gm)].map(([, code]) => code);
    expect(codes).toEqual([...Object.keys(ERRORS), ...Object.keys(CLIENT_ERRORS)]);
  });

  it("says of the library's own codes what the library does", () => {
    const text = manual.replaceAll('\n', ' ');
    for (const sentence of Object.values(CLIENT_ERRORS)) expect(text).toContain(sentence);
  });
});
