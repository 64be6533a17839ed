import type { Arguments, InterfaceTable } from '../../../daemon/bus/contract.js';
import type { Documented, IntrospectedNode } from '../../contract/introspection-reader.js';
import { readIntrospection } from '../../contract/introspection-reader.js';
import { readComment, type Block } from './comment.js';
import { blocksText, prose, quoted } from './mdoc.js';

const HEAD = `.Dd November 26, 2026
.Dt ORG.DMABROKER1 5
.Os
.nh
.Sh NAME
.Nm org.dmabroker1
.Nd D-Bus interface of the dma-buf broker`;

const FOOT = `.Sh SEE ALSO
.Xr busctl 1 ,
.Xr dmabrokerctl 1 ,
.Xr dmabroker 3 ,
.Xr dmabroker.conf 5 ,
.Xr dmabrokerd 8`;

/** The manual page org.dmabroker1(5), from the XML file with its comments: mdoc(7). */
export function interfaceManual(xml: string): string {
  const top = readIntrospection(xml);
  const nodes = [top, ...top.children];
  return [
    HEAD,
    '.Sh SYNOPSIS',
    '.Bl -tag -width Ds -compact',
    ...nodes.flatMap(({ name, interfaces }) => [
      `.It Pa ${quoted(pathOf(top, name))}`,
      ...interfaces.map((table) => `.Sy ${table.name}`),
    ]),
    '.El',
    '.Sh DESCRIPTION',
    blocksText(readComment(top.comment)),
    ...nodes.flatMap(({ interfaces, documented, comment }) =>
      interfaces.map((table) => section(table, documented, comment === top.comment ? '' : comment)),
    ),
    FOOT,
    '',
  ].join('\n');
}

const pathOf = (top: IntrospectedNode, name: string): string =>
  name.startsWith('/') ? name : `${top.name}/${name}`;

/** @param where what the XML says of the node that has the interface */
function section(table: InterfaceTable, documented: readonly Documented[], where: string): string {
  const of = (what: string): readonly Block[] =>
    readComment(documented.find((each) => each.what === what)?.comment ?? '');
  const methods = Object.entries(table.methods);
  const properties = Object.entries(table.properties);
  return [
    `.Sh ${table.name.slice(table.name.lastIndexOf('.') + 1).toUpperCase()} INTERFACE`,
    blocksText([...of(table.name), ...readComment(where)]),
    ...(methods.length === 0
      ? []
      : [
          '.Ss Methods',
          '.Bl -tag -width Ds',
          ...methods.map(([name, { in: given, out }]) =>
            method(`${table.name}.${name}`, name, given, out, documented),
          ),
          '.El',
        ]),
    '.Ss Properties',
    prose(
      'Those marked const stay as they are while the object is there; of all others, PropertiesChanged tells every change.',
    ),
    blocksText(of(`${table.name}.${properties[0]?.[0] ?? ''}`).filter(({ kind }) => kind === 'example')),
    '.Bl -tag -width Ds',
    ...properties.map(([name, { type, changes }]) =>
      [
        `.It Va ${name} Vt ${quoted(type)}${changes === 'const' ? ' Pq const' : ''}`,
        blocksText(of(`${table.name}.${name}`).filter((block) => block.kind !== 'example' && !isNone(block))),
      ].join('\n'),
    ),
    '.El',
  ].join('\n');
}

function method(
  what: string,
  name: string,
  given: Arguments,
  out: Arguments,
  documented: readonly Documented[],
): string {
  const commentOf = (member: string): string =>
    documented.find((each) => each.what === member)?.comment ?? '';
  const args = [...argumentsOf('in', given), ...argumentsOf('out', out)];
  const blocks = readComment(commentOf(what));
  const isText = ({ kind }: Block): boolean => kind === 'text' || kind === 'table';
  return [
    `.It Fn ${name} ${args.map(({ direction, type, argument }) => quoted(`${direction} ${type} ${argument}`)).join(' ')}`.trimEnd(),
    blocksText(blocks.filter(isText)),
    ...(args.length === 0
      ? []
      : [
          '.Bl -tag -width Ds',
          ...args.flatMap(({ argument, type }) => [
            `.It Fa ${argument} Vt ${quoted(type)}`,
            // The comment names the argument first, as the item does.
            blocksText(readComment(commentOf(`${what}(${argument})`).replace(`${argument}:`, ''))),
          ]),
          '.El',
        ]),
    blocksText(
      blocks.filter((block) => !isText(block)),
      true,
    ),
  ].join('\n');
}

const argumentsOf = (direction: 'in' | 'out', args: Arguments) =>
  Object.entries(args).map(([argument, type]) => ({ direction, argument, type }));

/** `Errors: none.` says nothing that the reader would look for. */
const isNone = (block: Block): boolean => block.kind === 'note' && /^none\.$/.test(block.text);
