// What is installed, and where: the one table. A later line is not asked about a file that an earlier one has.

/**
 * `from` is a path in the checkout; `*` stands for any name, and `**` for all below a directory. `to` is a directory below
 * the prefix, or below what `place` of the same name says; `as` makes another name of a file's own.
 * @type {readonly { from: string, to: string, as?: (name: string) => string, mode?: number }[]}
 */
export const FILES = [
  { from: 'dist/bundle/THIRD-PARTY-LICENSES', to: '{licenses}' },
  { from: 'LICENSE', to: '{licenses}' },
  { from: 'dist/bundle/dmabrokerd.js', to: 'lib/dmabroker', mode: 0o755 },
  { from: 'dist/bundle/dmabrokerctl.js', to: 'lib/dmabroker', mode: 0o755 },
  // Programs, library and policy: daemon/policy/files.ts looks for the policy there.
  { from: 'dist/bundle/**', to: 'lib/dmabroker' },

  { from: 'systemd/*.service', to: 'lib/systemd/system' },
  { from: 'systemd/dmabrokerd.service.d/*.conf', to: 'lib/systemd/system/dmabrokerd.service.d' },
  { from: 'systemd/*.catalog', to: 'lib/systemd/catalog' },
  { from: 'systemd/*.sysusers', to: 'lib/sysusers.d', as: withSuffix('.conf') },
  { from: 'systemd/*.tmpfiles', to: 'lib/tmpfiles.d', as: withSuffix('.conf') },
  { from: 'systemd/*.rules', to: 'lib/udev/rules.d' },
  { from: 'dbus/*.conf', to: 'share/dbus-1/system.d' },
  { from: 'dbus/*.service', to: 'share/dbus-1/system-services' },
  { from: 'dbus/*.xml', to: 'share/dbus-1/interfaces' },
  { from: 'dbus/*.policy', to: 'share/polkit-1/actions' },

  { from: 'client/completions/*.bash', to: 'share/bash-completion/completions', as: withSuffix('') },
  { from: 'client/completions/_*', to: '{zsh}' },
  { from: 'client/completions/*.fish', to: 'share/fish/vendor_completions.d' },
  ...[1, 3, 5, 7, 8].map((section) => ({ from: `dist/man/*.${section}`, to: `share/man/man${section}` })),
  { from: 'README.md', to: 'share/doc/dmabroker' },
  { from: 'policy/examples/*.conf', to: 'share/doc/dmabroker/examples' },
];

/** Places that distributions do not agree on, below the prefix. */
export const PLACES = {
  licenses: 'share/licenses/dmabroker',
  zsh: 'share/zsh/site-functions',
};

/** What leads where, below the prefix. */
export const LINKS = {
  'bin/dmabrokerd': '../lib/dmabroker/dmabrokerd.js',
  'bin/dmabrokerctl': '../lib/dmabroker/dmabrokerctl.js',
};

/** Another suffix for the last one. */
function withSuffix(suffix) {
  return (name) => name.replace(/\.[^.]+$/, suffix);
}
