import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findPolicyFiles } from '../../../daemon/policy/files.js';
import { ensure } from '../../tools/ensure.mjs';

const LEVELS = ['/etc', '/run', '/usr/local/lib', '/usr/lib'] as const;

/** What stands under a name: text, or a link to a place of the tree, written as a path from the root or from where it is. */
type Entry = { readonly text: string } | { readonly to: string; readonly absolute: boolean };

const entries: fc.Arbitrary<Entry> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('[Broker]\n', '; words\n', 'nonsense', '').map((text) => ({ text })),
  },
  { weight: 2, arbitrary: fc.boolean().map((absolute) => ({ to: '/dev/null', absolute })) },
  // An absolute one leads systemd-analyze 252 out of its root.
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('/srv/real.conf', '/srv/link.conf', '/srv/empty.conf')
      .map((to) => ({ to, absolute: false })),
  },
);

/** Names that sort otherwise by letter, by number and by locale; some that do not count. */
const names = fc.constantFrom(
  ...[
    '10-a.conf',
    '10-b.conf',
    '10-B.conf',
    '9-a.conf',
    '20-é.conf',
    '20-z.conf',
    '_.conf',
    'a.conf',
    'A.conf',
  ],
  ...['.hidden.conf', 'a.conf~', 'README', 'a.conf.bak', '.conf', 'b'],
);

interface Tree {
  readonly mains: Readonly<Record<string, Entry>>;
  readonly dropIns: readonly (readonly [level: string, name: string, entry: Entry])[];
}
const trees: fc.Arbitrary<Tree> = fc.record({
  mains: fc.dictionary(fc.constantFrom(...LEVELS), entries),
  dropIns: fc.array(fc.tuple(fc.constantFrom(...LEVELS), names, entries), { maxLength: 12 }),
});

/** Puts a tree into a new directory; of several entries under one path the last. */
function plant({ mains, dropIns }: Tree): string {
  const root = mkdtempSync(join(tmpdir(), 'dmabroker-tree-'));
  const paths = new Map<string, Entry>([
    ['/dev/null', { text: '' }],
    ['/srv/real.conf', { text: '[Broker]\n' }],
    ['/srv/empty.conf', { text: '' }],
    ['/srv/link.conf', { to: '/srv/real.conf', absolute: false }],
    ...Object.entries(mains).map(([level, entry]) => [`${level}/dmabroker/dmabroker.conf`, entry] as const),
    ...dropIns.map(([level, name, entry]) => [`${level}/dmabroker/dmabroker.conf.d/${name}`, entry] as const),
  ]);
  for (const [path, entry] of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if ('text' in entry) writeFileSync(join(root, path), entry.text);
    else symlinkSync(entry.absolute ? entry.to : relative(dirname(path), entry.to), join(root, path));
  }
  return root;
}

/** The files that systemd-analyze shows, without those that only hide others: they are empty. */
function systemdFiles(root?: string): readonly string[] {
  const prefix = root === undefined ? [] : [`--root=${root}`];
  const { stdout, stderr, status } = spawnSync(
    'systemd-analyze',
    [...prefix, '--no-pager', 'cat-config', 'dmabroker/dmabroker.conf'],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  const shown = [...stdout.matchAll(/^# (\/.*\/dmabroker\.conf.*)$/gm)].map(([, path = '']) => path);
  return shown.filter((path) => statSync(path).size > 0).map((path) => path.slice(root?.length ?? 0));
}

const ourFiles = async (root: string): Promise<readonly string[]> => {
  const { files, problems } = await findPolicyFiles({ root });
  expect(problems).toEqual([]);
  return files.map(({ name }) => name);
};

describe.runIf(ensure(['systemd'], { optional: true }))('systemd-analyze cat-config', () => {
  it('shows the same files in the same order, whatever the tree', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(trees, async (tree) => {
        const root = plant(tree);
        try {
          expect(await ourFiles(root)).toEqual(systemdFiles(root));
        } finally {
          rmSync(root, { recursive: true });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('shows the same files of this machine', async () => {
    expect(await ourFiles('')).toEqual(systemdFiles());
  });
});
