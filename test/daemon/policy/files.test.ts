import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findFilesIn, findPolicyFiles } from '../../../daemon/policy/files.js';
import { naming } from '../../harness/naming.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dmabroker-policy-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const put = (path: string, text = '[Broker]\n') => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const link = (path: string, target: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
};
const find = async (shipped?: string) => {
  const found = await findPolicyFiles(shipped === undefined ? { root } : { root, shipped });
  return { names: found.files.map(({ name }) => name), paths: found.files.map(({ path }) => path), ...found };
};

const LEVELS = ['/etc', '/run', '/usr/local/lib', '/usr/lib'];

describe('the main file', () => {
  it.each(LEVELS.map((level, index) => [level, LEVELS.slice(index)] as const))(
    'is that in %s',
    async (first, levels) => {
      for (const level of levels) put(`${level}/dmabroker/dmabroker.conf`);
      expect((await find()).names).toEqual([`${first}/dmabroker/dmabroker.conf`]);
    },
  );

  it('hides the others when it is empty, and is not read', async () => {
    put('/etc/dmabroker/dmabroker.conf', '');
    put('/usr/lib/dmabroker/dmabroker.conf');
    expect((await find()).names).toEqual([]);
  });
});

describe('drop-ins', () => {
  it('come after the main file, by name whatever their directory', async () => {
    put('/etc/dmabroker/dmabroker.conf');
    put('/etc/dmabroker/dmabroker.conf.d/20-b.conf');
    put('/usr/lib/dmabroker/dmabroker.conf.d/30-c.conf');
    put('/run/dmabroker/dmabroker.conf.d/10-a.conf');
    put('/usr/local/lib/dmabroker/dmabroker.conf.d/25-B.conf');
    expect((await find()).names).toEqual([
      '/etc/dmabroker/dmabroker.conf',
      '/run/dmabroker/dmabroker.conf.d/10-a.conf',
      '/etc/dmabroker/dmabroker.conf.d/20-b.conf',
      '/usr/local/lib/dmabroker/dmabroker.conf.d/25-B.conf',
      '/usr/lib/dmabroker/dmabroker.conf.d/30-c.conf',
    ]);
  });

  it.each(LEVELS.map((level, index) => [level, LEVELS.slice(index)] as const))(
    'of one name are read from %s first',
    async (first, levels) => {
      for (const level of levels) put(`${level}/dmabroker/dmabroker.conf.d/10-a.conf`);
      expect((await find()).names).toEqual([`${first}/dmabroker/dmabroker.conf.d/10-a.conf`]);
    },
  );

  it.each(['/dev/null', '../../../dev/null'])('are hidden by a link to %s', async (target) => {
    put('/usr/lib/dmabroker/dmabroker.conf.d/10-a.conf');
    link('/etc/dmabroker/dmabroker.conf.d/10-a.conf', target);
    expect(await find()).toMatchObject({ names: [], problems: [] });
  });

  it('are hidden by an empty file', async () => {
    put('/usr/lib/dmabroker/dmabroker.conf.d/10-a.conf');
    put('/run/dmabroker/dmabroker.conf.d/10-a.conf', '');
    expect((await find()).names).toEqual([]);
  });

  it('end in .conf and are not hidden files', async () => {
    for (const name of ['a.conf~', '.a.conf', 'README', 'b.conf'])
      put(`/etc/dmabroker/dmabroker.conf.d/${name}`);
    expect((await find()).names).toEqual(['/etc/dmabroker/dmabroker.conf.d/b.conf']);
  });

  it('may be links, which lead to places under the root', async () => {
    put('/srv/policy.conf');
    link('/srv/other.conf', 'policy.conf');
    link('/etc/dmabroker/dmabroker.conf.d/10-a.conf', '/srv/other.conf');
    link('/etc/dmabroker/dmabroker.conf.d/20-b.conf', '/../../../../srv/policy.conf');
    expect(await find()).toMatchObject({
      names: ['/etc/dmabroker/dmabroker.conf.d/10-a.conf', '/etc/dmabroker/dmabroker.conf.d/20-b.conf'],
      paths: [join(root, 'srv/policy.conf'), join(root, 'srv/policy.conf')],
    });
  });
});

describe('directories', () => {
  it('may be links, which lead to places under the root', async () => {
    put('/srv/policy.d/10-a.conf');
    link('/etc/dmabroker/dmabroker.conf.d', '/srv/policy.d');
    put('/opt/vendor/dmabroker/dmabroker.conf');
    link('/usr/lib', '../../opt/vendor');
    expect(await find()).toMatchObject({
      names: ['/usr/lib/dmabroker/dmabroker.conf', '/etc/dmabroker/dmabroker.conf.d/10-a.conf'],
      paths: [join(root, 'opt/vendor/dmabroker/dmabroker.conf'), join(root, 'srv/policy.d/10-a.conf')],
      problems: [],
    });
  });
});

describe('what cannot be read', () => {
  it('is reported without the root, and as a drop-in hides those of its name as systemd has it', async () => {
    mkdirSync(join(root, 'etc/dmabroker/dmabroker.conf.d/10-a.conf'), { recursive: true });
    put('/run/dmabroker/dmabroker.conf.d/10-a.conf');
    link('/etc/dmabroker/dmabroker.conf.d/20-b.conf', '20-b.conf');
    put('/run/dmabroker/dmabroker.conf.d/20-b.conf');
    link('/etc/dmabroker/dmabroker.conf.d/30-c.conf', '/nowhere');
    put('/run/dmabroker/dmabroker.conf.d/30-c.conf');
    put('/usr/lib/dmabroker/dmabroker.conf.d', 'a file');
    put('/run/dmabroker/dmabroker.conf.d/40-d.conf');
    const { names, problems } = await find();
    expect(names).toEqual(['/run/dmabroker/dmabroker.conf.d/40-d.conf']);
    expect(problems).toMatchObject([
      { file: '/etc/dmabroker/dmabroker.conf.d/10-a.conf', kind: 'not-a-file' },
      {
        file: '/etc/dmabroker/dmabroker.conf.d/20-b.conf',
        kind: 'unreadable',
        text: expect.stringMatching(naming('ELOOP')) as string,
      },
      { file: '/etc/dmabroker/dmabroker.conf.d/30-c.conf', kind: 'dangling-link' },
      {
        file: '/usr/lib/dmabroker/dmabroker.conf.d',
        kind: 'unreadable',
        text: expect.stringMatching(naming('ENOTDIR')) as string,
      },
    ]);
  });

  it('hides no other main file', async () => {
    link('/etc/dmabroker/dmabroker.conf', '/nowhere');
    put('/run/dmabroker/dmabroker.conf');
    expect(await find()).toMatchObject({
      names: ['/run/dmabroker/dmabroker.conf'],
      problems: [{ file: '/etc/dmabroker/dmabroker.conf', kind: 'dangling-link' }],
    });
  });

  it('is not even there, and so not reported', async () => {
    expect(await find()).toMatchObject({ names: [], problems: [] });
  });
});

describe('a directory of its own', () => {
  it('is read alone, and named as it was given', async () => {
    put('/etc/dmabroker/dmabroker.conf');
    put('/my/dmabroker.conf');
    put('/my/dmabroker.conf.d/20-b.conf');
    put('/my/dmabroker.conf.d/10-a.conf');
    link('/my/dmabroker.conf.d/30-c.conf', '/dev/null');
    const my = join(root, 'my');
    const { files, problems } = await findFilesIn(my);
    expect(problems).toEqual([]);
    expect(files.map(({ name }) => name)).toEqual(
      ['dmabroker.conf', 'dmabroker.conf.d/10-a.conf', 'dmabroker.conf.d/20-b.conf'].map((name) =>
        join(my, name),
      ),
    );
  });
});

describe('the shipped directory', () => {
  it('stands in for a vendor that has installed none', async () => {
    put('/package/policy/dmabroker.conf');
    put('/package/policy/dmabroker.conf.d/10-a.conf');
    put('/package/policy/dmabroker.conf.d/20-b.conf');
    link('/etc/dmabroker/dmabroker.conf.d/10-a.conf', '/dev/null');
    put('/usr/lib/dmabroker/dmabroker.conf.d/15-other.conf');
    const shipped = join(root, 'package/policy');
    expect(await find(shipped)).toMatchObject({
      names: [
        'policy/dmabroker.conf',
        '/usr/lib/dmabroker/dmabroker.conf.d/15-other.conf',
        'policy/dmabroker.conf.d/20-b.conf',
      ],
      problems: [],
    });
    expect((await find(shipped)).paths[0]).toBe(join(shipped, 'dmabroker.conf'));
  });

  it.each(['[Broker]\n', ''])('is not looked at where the vendor has a main file: %j', async (text) => {
    put('/package/policy/dmabroker.conf');
    put('/package/policy/dmabroker.conf.d/10-a.conf');
    put('/usr/lib/dmabroker/dmabroker.conf', text);
    expect((await find(join(root, 'package/policy'))).names).toEqual(
      text === '' ? [] : ['/usr/lib/dmabroker/dmabroker.conf'],
    );
  });
});
