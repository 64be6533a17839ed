import type { Arguments, InterfaceTable } from './contract.js';

const DOCTYPE =
  '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n' +
  '"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">\n';

/**
 * Introspection data of a node. Nothing is escaped, because names in the tables and in object paths need none.
 * @param children names of the nodes directly below
 */
export function introspectionXml(tables: readonly InterfaceTable[], children: readonly string[]): string {
  const nodes = children.map((name) => ` <node name="${name}"/>\n`);
  return `${DOCTYPE}<node>\n${tables.map(interfaceXml).join('')}${nodes.join('')}</node>\n`;
}

function interfaceXml({ name, methods, properties, signals }: InterfaceTable): string {
  return [
    ` <interface name="${name}">\n`,
    ...Object.entries(methods).map(
      ([method, args]) =>
        `  <method name="${method}">\n${argumentsXml(args.in, 'in')}${argumentsXml(args.out, 'out')}  </method>\n`,
    ),
    ...Object.entries(signals).map(
      ([signal, args]) => `  <signal name="${signal}">\n${argumentsXml(args)}  </signal>\n`,
    ),
    ...Object.entries(properties).map(
      ([property, { type, changes }]) =>
        `  <property name="${property}" type="${type}" access="read">\n` +
        `   <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="${changes}"/>\n` +
        '  </property>\n',
    ),
    ' </interface>\n',
  ].join('');
}

const argumentsXml = (args: Arguments, direction?: 'in' | 'out'): string =>
  Object.entries(args)
    .map(
      ([name, type]) =>
        `   <arg name="${name}" type="${type}"${direction === undefined ? '' : ` direction="${direction}"`}/>\n`,
    )
    .join('');
