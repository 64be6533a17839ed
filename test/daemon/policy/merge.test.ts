import { describe, expect, it } from 'vitest';
import { mergePolicy } from '../../../daemon/policy/merge.js';
import { parsePolicyFile } from '../../../daemon/policy/parse.js';

const policy = (...texts: string[]) =>
  mergePolicy(texts.map((text, index) => parsePolicyFile(`${index}.conf`, Buffer.from(text))));
const amdgpu = { driver: 'amdgpu', compatible: [], pci: '1002:15d8', number: '226:0' };
const GIB = 2n ** 30n;
const machine = { ram: 16n * GIB, frame: { width: 1920, height: 1080 } };

describe('the broker', () => {
  it('has built-in values', () => {
    const none = policy();
    expect(none.maxBuffer(machine)).toEqual({ value: GIB, source: 'policy:built-in' });
    expect(none.maxBuffer({ ...machine, ram: 2n * GIB }).value).toBe(GIB / 2n);
    expect(none.plainOnSystemBus()).toEqual({ value: false, source: 'policy:built-in' });
  });

  it('wants memory for some pictures of displays and cameras', () => {
    expect(policy().frames()).toEqual({
      display: { value: 3, source: 'policy:built-in' },
      camera: { value: 4, source: 'policy:built-in' },
    });
    expect(policy('[Broker]\nDisplayFrames=2\nCameraFrames=0\n').frames()).toEqual({
      display: { value: 2, source: 'policy:0.conf:2' },
      camera: { value: 0, source: 'policy:0.conf:3' },
    });
  });

  it('takes the last word, and its line', () => {
    const two = policy('[Broker]\nMaxBuffer=1M\nPlainOnSystemBus=yes\n', '[Broker]\nMaxBuffer=2M\n');
    expect(two.maxBuffer(machine)).toEqual({ value: 2n * 2n ** 20n, source: 'policy:1.conf:2' });
    expect(two.plainOnSystemBus()).toEqual({ value: true, source: 'policy:0.conf:3' });
  });

  it('takes an empty value for taking back', () => {
    expect(policy('[Broker]\nMaxBuffer=1M\n', '[Broker]\nMaxBuffer=\n').maxBuffer(machine).source).toBe(
      'policy:built-in',
    );
  });

  it('says no more bytes than the bus can carry', () => {
    expect(policy('[Broker]\nMaxBuffer=99999999T\n').maxBuffer(machine).value).toBe(2n ** 64n - 1n);
  });
});

describe('a pool', () => {
  it('has the limit of its class', () => {
    const both = policy('[Pool scattered]\nLimit=10%\n[Pool contiguous]\nLimit=80% of heap\n');
    expect(both.pool('scattered', machine).limit.value).toBe((16n * GIB) / 10n);
    expect(both.pool('contiguous', { ...machine, heap: 1000n }).limit).toEqual({
      value: 800n,
      source: 'policy:0.conf:4',
    });
  });

  it('has a built-in limit that leaves three quarters of RAM whatever the classes', () => {
    const limit = policy().pool('protected', machine).limit;
    expect(limit).toEqual({ value: (16n * GIB) / 20n, source: 'policy:built-in' });
    expect(policy().pool('contiguous', { ...machine, heap: 10n }).limit.value).toBe(8n);
  });
});

describe('what is kept ready, and for whom', () => {
  it('is a little, for a minute, for everybody where no file says', () => {
    const { warm, idle, access } = policy().pool('scattered', machine);
    expect(warm).toEqual({ value: (16n * GIB) / 50n, source: 'policy:built-in' });
    expect(idle).toEqual({ value: 60_000, source: 'policy:built-in' });
    expect(access).toEqual({ value: [{ kind: 'users' }], source: 'policy:built-in' });
  });

  it('leaves most of a small heap to the drivers that draw on it', () => {
    expect(policy().pool('contiguous', { ...machine, heap: 64n }).warm.value).toBe(16n);
  });

  it('is what the class says, with its lines', () => {
    const said = policy('[Pool contiguous]\nWarm=3 frames\nIdle=5min\nAccess=active-session group:video\n');
    expect(said.warnings).toEqual([]);
    expect(said.pool('contiguous', machine)).toMatchObject({
      warm: { value: 3n * 1920n * 1080n * 4n, source: 'policy:0.conf:2' },
      idle: { value: 300_000, source: 'policy:0.conf:3' },
      access: {
        value: [{ kind: 'active-session' }, { kind: 'group', name: 'video' }],
        source: 'policy:0.conf:4',
      },
    });
    expect(said.pool('scattered', machine).idle.source).toBe('policy:built-in');
  });
});

describe('a quota', () => {
  const anna = { uid: 1000, user: 'anna', groups: ['anna', 'video'], unit: 'app-firefox.scope' };

  it('is finite where no file says anything', () => {
    const built = policy().quota(anna, machine);
    const sources = Object.values({ ...built }).map(({ source }) => source);
    expect(sources).toEqual(sources.map(() => 'policy:built-in'));
    expect(built.bytes.value).toBe((16n * GIB) / 5n);
    expect(built.clientBuffers.value).toBe(256);
  });

  it('has each key under its name', () => {
    const text =
      '[Quota]\nBytes=1\nBuffers=2\nClientBytes=3\nClientBuffers=4\nUnitBytes=5\nUnitBuffers=6\nChannels=7\nClientChannels=8\nRate=9\nBurst=0\n';
    const all = policy(text);
    expect(all.warnings).toEqual([]);
    expect(all.quota(anna, machine)).toEqual({
      bytes: { value: 1n, source: 'policy:0.conf:2' },
      buffers: { value: 2, source: 'policy:0.conf:3' },
      clientBytes: { value: 3n, source: 'policy:0.conf:4' },
      clientBuffers: { value: 4, source: 'policy:0.conf:5' },
      unitBytes: { value: 5n, source: 'policy:0.conf:6' },
      unitBuffers: { value: 6, source: 'policy:0.conf:7' },
      channels: { value: 7, source: 'policy:0.conf:8' },
      clientChannels: { value: 8, source: 'policy:0.conf:9' },
      rate: { value: 9, source: 'policy:0.conf:10' },
      burst: { value: 0, source: 'policy:0.conf:11' },
    });
  });

  it('is the last word of all sections that fit, key by key, wide or narrow', () => {
    const said = policy(
      '[Quota user:anna]\nBytes=3M\nRate=5\n[Quota]\nBuffers=9\n',
      '[Quota group:video]\nBuffers=7\n[Quota user:otto]\nRate=1\n',
      '[Quota]\nBytes=1M\n',
    );
    const { bytes, buffers, rate } = said.quota(anna, machine);
    expect([bytes, buffers, rate]).toEqual([
      { value: 2n ** 20n, source: 'policy:2.conf:2' },
      { value: 7, source: 'policy:1.conf:2' },
      { value: 5, source: 'policy:0.conf:3' },
    ]);
    expect(said.quota({ uid: 1, user: 'otto', groups: [] }, machine).rate.value).toBe(1);
  });

  it('is reckoned on the machine, with no heap', () => {
    expect(policy('[Quota]\nBytes=2 frames\n').quota(anna, machine).bytes.value).toBe(16_588_800n);
    expect(policy('[Quota]\nBytes=80% of heap\n').warnings).toHaveLength(1);
  });
});

describe('a device', () => {
  it('is unknown where no section holds for it', () => {
    expect(policy('[Device vc4]\nPitchMultiple=64').device(amdgpu)).toEqual({ known: false, limits: [] });
  });

  it('is known by a section that says nothing', () => {
    expect(policy('[Device amdgpu]').device(amdgpu)).toEqual({ known: true, limits: [] });
  });

  it('has each limit under the name of the contract', () => {
    const all = policy(
      '[Device amdgpu]\nPitchMultiple=1\nPitchExact=2\nPitchMin=3\nPitchMax=4\nPitchLinked=yes\nOffsetMultiple=5\nHeightMultiple=6\n' +
        'SizeMultiple=7\nMaxWidth=8\nMaxHeight=9\nAddressBits=10\nMinBuffers=11\nProtected=yes\nContiguous=without-iommu\nForeignImports=no',
    );
    expect(all.warnings).toEqual([]);
    const { limits, ...rest } = all.device(amdgpu);
    expect(limits.map(({ limit, value }) => [limit, value])).toEqual([
      ['pitch-multiple', 1],
      ['pitch-exact', 2],
      ['pitch-min', 3],
      ['pitch-max', 4],
      ['pitch-linked', true],
      ['offset-multiple', 5],
      ['height-multiple', 6],
      ['size-multiple', 7n],
      ['max-width', 8],
      ['max-height', 9],
      ['address-bits', 10],
      ['min-buffers', 11],
      ['protected', true],
    ]);
    expect(limits[0]?.source).toBe('policy:0.conf:2');
    expect(rest).toEqual({
      known: true,
      contiguous: { value: 'without-iommu', source: 'policy:0.conf:15' },
      foreignImports: { value: false, source: 'policy:0.conf:16' },
    });
  });

  it('has a word on foreign imports for all uses, and one for each list of uses', () => {
    const rules = policy(
      '[Device amdgpu]\nForeignImports[scanout]=no\nForeignImports[render, texture]=yes\n',
      '[Device amdgpu]\nForeignImports[scanout]=tried\nForeignImports[texture,render]=\nForeignImports=yes\n',
    ).device(amdgpu);
    expect(rules).toEqual({
      known: true,
      limits: [],
      foreignImports: { value: true, source: 'policy:1.conf:4' },
      foreignImportsFor: [{ value: 'tried', source: 'policy:1.conf:2', uses: ['scanout'] }],
    });
  });

  it('says of which limits the value counts for each macroblock', () => {
    const { limits } = policy('[Device amdgpu]\nSizeExtra=64\nSizeExtra[decode]=128 per macroblock').device(
      amdgpu,
    );
    expect(limits).toEqual([
      { limit: 'size-extra', value: 64n, source: 'policy:0.conf:2' },
      { limit: 'size-extra', value: 128n, per: 'macroblock', uses: ['decode'], source: 'policy:0.conf:3' },
    ]);
    const wrong = policy('[Device amdgpu]\nSizeMultiple=128 per macroblock');
    expect(wrong.device(amdgpu).limits).toEqual([]);
    expect(wrong.warnings).toHaveLength(1);
  });

  it('takes the last word of all sections that hold', () => {
    const limits = policy(
      '[Device amdgpu]\nPitchMultiple=64\nPitchMin=100\n[Device vc4]\nPitchMultiple=32\n',
      '[Device pci=1002:*]\nPitchMultiple=256\n',
    ).device(amdgpu).limits;
    expect(limits).toEqual([
      { limit: 'pitch-multiple', value: 256, source: 'policy:1.conf:2' },
      { limit: 'pitch-min', value: 100, source: 'policy:0.conf:3' },
    ]);
  });

  it('keeps what is qualified in another way, and replaces what is qualified in the same', () => {
    const limits = policy(
      '[Device amdgpu]\nPitchMultiple=64\nPitchMultiple[decode,encode]=128\nPitchMultiple[:NV12]=512\n',
      '[Device amdgpu]\nPitchMultiple[encode, decode]=256\n',
    ).device(amdgpu).limits;
    expect(limits).toEqual([
      { limit: 'pitch-multiple', value: 64, source: 'policy:0.conf:2' },
      { limit: 'pitch-multiple', value: 256, source: 'policy:1.conf:2', uses: ['decode', 'encode'] },
      { limit: 'pitch-multiple', value: 512, source: 'policy:0.conf:4', formats: ['NV12'] },
    ]);
  });

  it('takes back with an empty value what was said with the same qualifier', () => {
    const limits = policy(
      '[Device amdgpu]\nPitchMultiple=64\nPitchMultiple[decode]=128\nContiguous=yes\n',
      '[Device amdgpu]\nPitchMultiple=\nContiguous=\n',
    ).device(amdgpu);
    expect(limits).toEqual({
      known: true,
      limits: [{ limit: 'pitch-multiple', value: 128, source: 'policy:0.conf:3', uses: ['decode'] }],
    });
  });

  it('takes a last no for no limit', () => {
    expect(policy('[Device amdgpu]\nProtected=yes\nProtected=no\n').device(amdgpu).limits).toEqual([]);
  });
});

describe('a heap', () => {
  it('has the last word of all sections that hold', () => {
    const rules = policy(
      '[Heap kind=dma-heap]\nUse=no\nOrder=-5\n[Heap vendor-*]\nUse=yes\nClass=protected\nAddressBits=32\nContiguous=yes\nGeometry=no\n[Heap other]\nOrder=7\n',
    ).heap({ kind: 'dma-heap', name: 'vendor-foo' });
    expect(rules).toEqual({
      use: { value: true, source: 'policy:0.conf:5' },
      class: { value: 'protected', source: 'policy:0.conf:6' },
      contiguous: { value: 'yes', source: 'policy:0.conf:8' },
      addressBits: { value: 32, source: 'policy:0.conf:7' },
      geometry: { value: false, source: 'policy:0.conf:9' },
      order: { value: -5, source: 'policy:0.conf:3' },
    });
  });

  it('has none where none holds', () => {
    expect(policy().heap({ kind: 'udmabuf', name: 'udmabuf' })).toEqual({});
  });
});

describe('a policy', () => {
  it('names its files and what is wrong with them', () => {
    const files = [parsePolicyFile('b', Buffer.from('x')), parsePolicyFile('a', Buffer.from('[Broker]\ny'))];
    const both = mergePolicy(files, [{ kind: 'unreadable', file: 'c', text: 'EIO' }]);
    expect(both.files).toEqual(['b', 'a']);
    expect(both.problems).toMatchObject([
      { file: 'c', kind: 'unreadable' },
      { file: 'b', line: 1, column: 1, kind: 'outside-section' },
      { file: 'a', line: 2, column: 1, kind: 'no-assignment' },
    ]);
    expect(both.warnings).toEqual([
      'c: EIO',
      expect.stringMatching(/^b:1:1: ./),
      expect.stringMatching(/^a:2:1: ./),
    ]);
  });
});
