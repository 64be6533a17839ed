import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { ALLOCATION, BROKER, DEVICE, PARTY, POOL, type InterfaceTable } from '../../daemon/bus/contract.js';
import { introspectionXml } from '../../daemon/bus/router.js';
import { readAllocate } from '../../daemon/bus/request.js';
import { ERRORS } from '../../dbus/errors.js';
import { ROOT_PATH } from '../../dbus/names.js';
import { readIntrospection, type Documented, type IntrospectedNode } from './introspection-reader.js';

const XML = readFileSync(new URL('../../dbus/org.dmabroker1.xml', import.meta.url), 'utf8');
const FILE = readIntrospection(XML);
const TABLES: readonly InterfaceTable[] = [BROKER, DEVICE, POOL, ALLOCATION, PARTY];

const nodesOf = (node: IntrospectedNode): readonly IntrospectedNode[] => [
  node,
  ...node.children.flatMap(nodesOf),
];
const documented = nodesOf(FILE).flatMap((node) => node.documented);

/** Of a type that no key takes. */
const VALUE = { signature: 'd', value: 0.5 };

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error('it was accepted');
}

/** With the order of members, which a comparison of objects would not see. */
const inOrder = (tables: readonly InterfaceTable[]): string => JSON.stringify(tables, null, 1);

describe('the XML file', () => {
  test('says what the code says, in the same order', () => {
    expect(FILE.name).toBe(ROOT_PATH);
    expect(FILE.children.map(({ name }) => name)).toEqual([
      'device/DEVICE',
      'pool/HANDLE',
      'allocation/ID',
      'party/ID',
    ]);
    expect(inOrder(nodesOf(FILE).flatMap(({ interfaces }) => interfaces))).toBe(inOrder(TABLES));
  });

  test('is what introspection gives', () => {
    const [live] = nodesOf(readIntrospection(introspectionXml(TABLES, ['a', 'b_2f'])));
    expect(inOrder(live?.interfaces ?? [])).toBe(inOrder(TABLES));
    expect(live?.children.map(({ name }) => name)).toEqual(['a', 'b_2f']);
  });

  test.each(documented.map((member): [string, Documented] => [member.what, member]))(
    'documents %s',
    (what, { kind, comment }) => {
      expect(comment.length).toBeGreaterThan(5);
      if (kind === 'argument')
        expect(comment).toMatch(new RegExp(`^${/\((.*)\)/.exec(what)?.[1] ?? ''}:\\s`));
      if (kind !== 'method' && kind !== 'property') return;
      expect(comment).toMatch(/^ *Errors: /m);
      expect(comment).toMatch(/^ *Polkit: /m);
      const [, name = '', member = ''] = /^(.*)\.([^.]*)$/.exec(what) ?? [];
      const verb = kind === 'method' ? 'call' : 'get-property';
      expect(comment).toMatch(
        new RegExp(`busctl ${verb} org\\.dmabroker1 /org/dmabroker1\\S* ${name} ${member}\\b`),
      );
    },
  );

  test.each([
    ['devices', readAllocate.bind(undefined, [[['cpu', [['?', VALUE]]]], []])],
    ['buffer', readAllocate.bind(undefined, [[], [['?', VALUE]]])],
  ])('names the keys of %s, each with its type', (argument, read) => {
    const unknown = refusal(() => read(() => undefined));
    const keys = (/known are (.*)$/.exec(unknown)?.[1] ?? '').split(', ');
    const { comment } = documented.find(({ what }) => what.endsWith(`Allocate(${argument})`)) ?? {
      comment: '',
    };
    const described = [...comment.matchAll(/^ +([a-z-]+) +([a-z]{1,2}|a\([a-z]+\)) {2,}\S/gm)];
    expect(described.map(([, key]) => key).toSorted()).toEqual(keys.toSorted());
    for (const [, key = '', type = ''] of described) {
      const wrong = [[key, VALUE]];
      const body = argument === 'buffer' ? [[], wrong] : [[['cpu', wrong]], []];
      expect(refusal(() => readAllocate(body, () => undefined))).toContain(
        `${key}: type "d" was given, ${type} is`,
      );
    }
  });

  test('names errors that there are, and every one of them', () => {
    const named = documented.flatMap(({ comment }) => {
      const [, list = ''] = /^ *Errors: ([\s\S]*?)\.\n/m.exec(comment) ?? [];
      return list.replaceAll(/\([^)]*\)/g, '').match(/\b[A-Z][A-Za-z]+\b/g) ?? [];
    });
    expect(new Set(named)).toEqual(new Set(Object.keys(ERRORS)));
  });

  test('names the polkit actions that there are', () => {
    const policy = readFileSync(new URL('../../dbus/org.dmabroker1.policy', import.meta.url), 'utf8');
    const actions = [...policy.matchAll(/<action id="([^"]+)">([\s\S]*?)<\/action>/g)];
    for (const [, , action] of actions)
      expect(action).toContain(
        '<annotate key="org.freedesktop.policykit.owner">unix-user:dmabroker</annotate>',
      );
    // Of GetManagedObjects, which is no member of ours, the head of the file speaks.
    const named = [...XML.matchAll(/^ *Polkit: (org[.\w-]*[\w-])/gm)].map(([, id]) => id);
    expect(named.toSorted()).toEqual(actions.map(([, id]) => id).toSorted());
  });
});
