import type { Arguments, InterfaceTable } from '../../daemon/bus/contract.js';

/** Something that can have a doc comment: an interface, a method, an argument, a signal or a property. */
export interface Documented {
  /** `org.dmabroker1.Broker.Allocate(devices)`. */
  readonly what: string;
  readonly kind: 'interface' | 'method' | 'argument' | 'signal' | 'property';
  /** Text of the comment right before it; empty when there is none. */
  readonly comment: string;
}

export interface IntrospectedNode {
  /** As the XML names it. */
  readonly name: string;
  /** Text of the comment right before it. */
  readonly comment: string;
  readonly interfaces: readonly InterfaceTable[];
  readonly documented: readonly Documented[];
  readonly children: readonly IntrospectedNode[];
}

interface MutableNode {
  name: string;
  comment: string;
  interfaces: InterfaceTable[];
  documented: Documented[];
  children: MutableNode[];
}

type Member =
  | { readonly kind: 'method'; readonly in: Record<string, string>; readonly out: Record<string, string> }
  | { readonly kind: 'signal'; readonly args: Record<string, string> };

interface MutableInterface {
  name: string;
  methods: Record<string, { in: Arguments; out: Arguments }>;
  properties: Record<string, { type: string; changes: 'const' | 'true' }>;
  signals: Record<string, Arguments>;
}

const TOKEN = /<!--([\s\S]*?)-->|<!DOCTYPE[^>]*>|<(\/?)([a-z]+)((?:\s+[a-z]+="[^"]*")*)\s*(\/?)>|([^<]+)/g;

/** Reads introspection XML as a value. @throws {Error} on anything that introspection data does not have */
export function readIntrospection(xml: string): IntrospectedNode {
  const top: MutableNode = { name: '', comment: '', interfaces: [], documented: [], children: [] };
  const nodes = [top];
  const tables: MutableInterface[] = [];
  const members: (Member & { readonly name: string })[] = [];
  let property: { name: string; type: string } | undefined;
  let comment = '';
  let end = 0;

  const node = (): MutableNode => last(nodes);
  const document = (kind: Documented['kind'], what: string): void => {
    node().documented.push({ kind, what, comment: comment.trim() });
    comment = '';
  };

  for (const match of xml.matchAll(TOKEN)) {
    if (match.index !== end) throw new Error(`not understood: ${xml.slice(end, end + 40)}`);
    end = match.index + match[0].length;
    const [, text, closing, tag, attributes = '', empty, between] = match;
    if (text !== undefined) comment = text;
    if (between !== undefined && between.trim() !== '') throw new Error(`text in the XML: ${between.trim()}`);
    if (tag === undefined) continue;
    const get = attributesOf(attributes);
    if (closing === '') open(tag, get);
    if (closing === '/' || empty === '/') close(tag);
  }
  if (end !== xml.length || nodes.length !== 1) throw new Error('the XML is not complete');
  const [only] = top.children;
  if (only === undefined) throw new Error('the XML has no node');
  return only;

  function open(tag: string, get: (name: string) => string): void {
    if (tag === 'node') {
      const child = { name: get('name'), comment, interfaces: [], documented: [], children: [] };
      node().children.push(child);
      nodes.push(child);
      comment = '';
    } else if (tag === 'interface') {
      const table = { name: get('name'), methods: {}, properties: {}, signals: {} };
      document('interface', table.name);
      node().interfaces.push(table);
      tables.push(table);
    } else if (tag === 'method') {
      const method = { kind: 'method', name: get('name'), in: {}, out: {} } as const;
      document('method', `${last(tables).name}.${method.name}`);
      last(tables).methods[method.name] = method;
      members.push(method);
    } else if (tag === 'signal') {
      const signal = { kind: 'signal', name: get('name'), args: {} } as const;
      document('signal', `${last(tables).name}.${signal.name}`);
      last(tables).signals[signal.name] = signal.args;
      members.push(signal);
    } else if (tag === 'arg') {
      const member = last(members);
      document('argument', `${last(tables).name}.${member.name}(${get('name')})`);
      const args =
        member.kind === 'signal' ? member.args : get('direction') === 'out' ? member.out : member.in;
      args[get('name')] = get('type');
    } else if (tag === 'property') {
      if (get('access') !== 'read') throw new Error(`${get('name')} can be written`);
      property = { name: get('name'), type: get('type') };
      document('property', `${last(tables).name}.${property.name}`);
    } else if (tag === 'annotation') {
      const changes = get('value');
      if (get('name') !== 'org.freedesktop.DBus.Property.EmitsChangedSignal' || property === undefined)
        throw new Error(`an annotation ${get('name')}`);
      if (changes !== 'const' && changes !== 'true') throw new Error(`${property.name} emits ${changes}`);
      last(tables).properties[property.name] = { type: property.type, changes };
    } else throw new Error(`an element ${tag}`);
  }

  function close(tag: string): void {
    if (tag === 'node') nodes.pop();
    else if (tag === 'interface') tables.pop();
    else if (tag === 'method' || tag === 'signal') {
      const member = members.pop();
      if (member?.kind === 'method') last(tables).methods[member.name] = { in: member.in, out: member.out };
    } else if (tag === 'property') property = undefined;
  }
}

function attributesOf(text: string): (name: string) => string {
  const found = new Map(
    [...text.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  return (name) => found.get(name) ?? '';
}

function last<T>(list: readonly T[]): T {
  const item = list.at(-1);
  if (item === undefined) throw new Error('the XML is not nested rightly');
  return item;
}
