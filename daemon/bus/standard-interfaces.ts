import type { InterfaceTable } from './contract.js';

/** The interfaces of the D-Bus specification that this service answers, as its section Standard Interfaces has them. */

export const PEER = {
  name: 'org.freedesktop.DBus.Peer',
  methods: { Ping: { in: {}, out: {} }, GetMachineId: { in: {}, out: { machine_uuid: 's' } } },
  properties: {},
  signals: {},
} as const satisfies InterfaceTable;

export const INTROSPECTABLE = {
  name: 'org.freedesktop.DBus.Introspectable',
  methods: { Introspect: { in: {}, out: { xml_data: 's' } } },
  properties: {},
  signals: {},
} as const satisfies InterfaceTable;

export const PROPERTIES = {
  name: 'org.freedesktop.DBus.Properties',
  methods: {
    Get: { in: { interface_name: 's', property_name: 's' }, out: { value: 'v' } },
    GetAll: { in: { interface_name: 's' }, out: { props: 'a{sv}' } },
    Set: { in: { interface_name: 's', property_name: 's', value: 'v' }, out: {} },
  },
  properties: {},
  signals: {
    PropertiesChanged: {
      interface_name: 's',
      changed_properties: 'a{sv}',
      invalidated_properties: 'as',
    },
  },
} as const satisfies InterfaceTable;

export const OBJECT_MANAGER = {
  name: 'org.freedesktop.DBus.ObjectManager',
  methods: {
    GetManagedObjects: { in: {}, out: { objpath_interfaces_and_properties: 'a{oa{sa{sv}}}' } },
  },
  properties: {},
  signals: {
    InterfacesAdded: { object_path: 'o', interfaces_and_properties: 'a{sa{sv}}' },
    InterfacesRemoved: { object_path: 'o', interfaces: 'as' },
  },
} as const satisfies InterfaceTable;

export const STANDARD_ERRORS = {
  limitsExceeded: 'org.freedesktop.DBus.Error.LimitsExceeded',
  notSupported: 'org.freedesktop.DBus.Error.NotSupported',
  invalidArgs: 'org.freedesktop.DBus.Error.InvalidArgs',
  unknownObject: 'org.freedesktop.DBus.Error.UnknownObject',
  unknownInterface: 'org.freedesktop.DBus.Error.UnknownInterface',
  unknownMethod: 'org.freedesktop.DBus.Error.UnknownMethod',
  unknownProperty: 'org.freedesktop.DBus.Error.UnknownProperty',
  propertyReadOnly: 'org.freedesktop.DBus.Error.PropertyReadOnly',
} as const;
