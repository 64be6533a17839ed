// The rooms of the daemon, from the top down (ARCHITECTURE.md): a room may import from itself and from rooms below it.
// Above all of them is daemon/main.ts, which wires them together.
const order = [
  'service',
  'bus',
  'broker',
  'ledger',
  'pools',
  'sizing',
  'devices',
  'heaps',
  'policy',
  'constraints',
  'kernel',
  'base',
];
const upward = order.map((room, i) => ({
  name: `${room}-points-down`,
  severity: 'error',
  from: { path: `^daemon/${room}/` },
  to: {
    path: `^daemon/([^/]+\\.ts$${order
      .slice(0, i)
      .map((above) => `|${above}/`)
      .join('')})`,
  },
}));

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    ...upward,
    {
      name: 'every-file-has-a-room',
      comment: 'only main.ts stands beside the rooms',
      severity: 'error',
      from: { path: `^daemon/(?!main\\.ts$|(${order.join('|')})/)` },
      to: {},
    },
    {
      name: 'constraints-are-pure',
      comment: 'constraints/ imports nothing but its own files and the table of limits, which is data',
      severity: 'error',
      from: { path: '^daemon/constraints/' },
      to: { pathNot: '^(daemon/constraints/|dbus/limits\\.ts$)' },
    },
    {
      name: 'only-bus-knows-dbus',
      severity: 'error',
      from: { path: '^daemon/(?!bus/|main\\.ts)' },
      to: { path: '(^dbus/connection/|node_modules/dbus-next)' },
    },
    {
      name: 'only-native-knows-koffi',
      comment: 'one small file, so that a native addon can take its place',
      severity: 'error',
      from: { pathNot: '^dbus/native/' },
      to: { path: 'node_modules/(@koromix/)?koffi' },
    },
    {
      name: 'profiles-load-when-asked-for',
      comment:
        'their schema library is most of what there is to load, and a start on the machine itself needs none of it',
      severity: 'error',
      from: { pathNot: '^daemon/devices/profile/' },
      to: { path: '^daemon/devices/profile/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-kernel-makes-calls',
      severity: 'error',
      from: { path: '^daemon/(?!kernel/)' },
      to: { path: '^dbus/native/' },
    },
    {
      name: 'no-children-in-daemon',
      severity: 'error',
      from: { path: '^(daemon|dbus)/' },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'ground-knows-nobody',
      severity: 'error',
      from: { path: '^dbus/' },
      to: { path: '^(daemon|client)/' },
    },
    {
      name: 'library-knows-no-daemon',
      comment: 'client/cli/ alone may use daemon rooms, for profiles and policy',
      severity: 'error',
      from: { path: '^client/(?!cli/)' },
      to: { path: '^daemon/' },
    },
    {
      name: 'daemon-knows-no-client',
      severity: 'error',
      from: { path: '^daemon/' },
      to: { path: '^client/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
