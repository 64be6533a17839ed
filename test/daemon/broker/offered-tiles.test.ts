import { describe, expect, it, vi } from 'vitest';

import { listOf, memoriesFor } from '../../../daemon/broker/offered-tiles.js';
import type { Admitted, Participant } from '../../../daemon/broker/admit.js';
import type { Proposal } from '../../../daemon/broker/parties/party-types.js';
import { Searches } from '../../../daemon/broker/searches.js';
import { pixelFormat } from '../../../daemon/constraints/formats.js';
import type { Constraint, Memory } from '../../../daemon/constraints/constraint-types.js';
import { CPU_DEVICE } from '../../../daemon/devices/inventory.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { GPU } from '../machine.js';
import { partyConstraint } from '../../../daemon/broker/parties/party-texts.js';
import { IMAGE, partiesRig, type Guest } from './parties/rig.js';
import { entry, image, makeRig, OWNER, ROOMY } from './rig.js';

/** Of `drm_fourcc.h`: I915_FORMAT_MOD_X_TILED, _Y_TILED, _Y_TILED_CCS, and an NVIDIA block linear one. */
const X = 0x0100_0000_0000_0001n;
const Y = 0x0100_0000_0000_0002n;
const CCS = 0x0100_0000_0000_0004n;
const NVIDIA = 0x0300_0000_0060_6010n;

const memory = (handle: string): Memory => ({
  handle,
  class: 'scattered',
  contiguous: false,
  protected: false,
  modifiers: [0n],
  addressBits: 36,
});
const SNAPSHOT = { memories: [memory('p-pages'), memory('p-dumb')], holdsTiles: new Set(['p-pages']) };

const lists = (...modifiers: readonly bigint[]): Participant => ({
  entry: 0,
  device: GPU,
  limits: { modifiers },
});
const listsFor = (format: string, ...modifiers: readonly bigint[]): Participant => ({
  entry: 0,
  device: GPU,
  limits: {},
  formats: [{ format, modifiers }],
});
const SILENT: Participant = { entry: 1, device: CPU_DEVICE, limits: {} };

const listOfOrigin = (source: string, value: readonly bigint[] | undefined): readonly Constraint[] =>
  value === undefined ? [] : [{ kind: 'modifiers', value, origin: { entry: -1, device: '', source } }];

/** What the memory of pages offers; the other one offers linear always. */
function offered(
  participants: readonly Participant[],
  {
    format = 'XR24',
    modifiers,
    published,
  }: { format?: string; modifiers?: readonly bigint[]; published?: readonly bigint[] } = {},
): readonly bigint[] {
  const known = pixelFormat(format);
  if (known === undefined) throw new Error(`no format ${format}`);
  const admitted: Admitted = {
    participants,
    content: { format: known, width: 64, height: 64 },
    ...(modifiers && { modifiers }),
  };
  const said: readonly Constraint[] = [
    ...participants.flatMap((participant): readonly Constraint[] => {
      const value = listOf(participant, format.padEnd(4));
      const origin = { entry: participant.entry, device: '', source: 'client' };
      return value === undefined ? [] : [{ kind: 'modifiers', value, origin }];
    }),
    ...listOfOrigin('request', modifiers),
    ...listOfOrigin('kernel:IN_FORMATS', published),
  ];
  const [pages, dumb] = memoriesFor(admitted, said, SNAPSHOT);
  expect(dumb?.modifiers).toEqual([0n]);
  return pages?.modifiers ?? [];
}

describe('memory of pages offers', () => {
  it('linear alone where nothing is listed', () => {
    expect(offered([SILENT])).toEqual([0n]);
  });

  it('tiles that all list who list any, or some of each where nothing is common', () => {
    expect(offered([lists(0n, X), SILENT, lists(Y)])).toEqual([0n, X, Y]);
    expect(offered([SILENT], { modifiers: [X] })).toEqual([0n, X]);
  });

  it('what an entry lists for the format', () => {
    expect(offered([listsFor('XR24', Y)])).toEqual([0n, Y]);
    expect(offered([listsFor('NV12', Y)])).toEqual([0n]);
    expect(offered([listsFor('XR24')])).toEqual([0n]);
  });

  it('no tiles without a known geometry, or not for the format', () => {
    expect(offered([lists(NVIDIA, X)])).toEqual([0n, X]);
    expect(offered([lists(X)], { format: 'NV12' })).toEqual([0n]);
  });

  it('compressed ones where every entry lists them', () => {
    expect(offered([lists(Y, CCS), lists(CCS)])).toEqual([0n, CCS]);
    expect(offered([lists(Y, CCS), lists(Y)])).toEqual([0n, Y]);
    expect(offered([lists(CCS), SILENT])).toEqual([0n]);
    expect(offered([SILENT], { modifiers: [CCS] })).toEqual([0n]);
  });

  /** Blocks of 64 KiB of GFX9, with any pipes and banks. */
  const blocks = Array.from({ length: 64 }, (_, i) => 0x0200_0000_0000_1901n + (BigInt(i) << 21n));

  it('a few of very many, in whatever order they are listed', () => {
    const few = [0n, ...blocks.slice(0, 16)];
    expect(offered([lists(...blocks)])).toEqual(few);
    expect(offered([lists(...blocks.toReversed())])).toEqual(few);
  });

  it('what another list has of very many, and what a device publishes', () => {
    const last = blocks.slice(-3);
    expect(offered([lists(...blocks), lists(0n, ...last.toReversed())])).toEqual([0n, ...last]);
    expect(offered([lists(...blocks)], { published: [0n, ...last] })).toEqual([0n, ...last]);
  });

  it('nothing more for memory without an image', () => {
    const plain = { participants: [lists(X)], content: { size: 4096n } };
    expect(memoriesFor(plain, [], SNAPSHOT)).toBe(SNAPSHOT.memories);
  });
});

describe('an allocation in tiles', () => {
  const entries = [entry(GPU.node, { uses: ['scanout', 'render'], limits: { modifiers: [X, 0n] } })];

  it('is as large as whole tiles, in memory that can hold them', async () => {
    const rig = makeRig();
    const { layout, fds } = await rig.broker.allocate(OWNER, image({ entries }));
    closeAll(fds);
    // 64 × 4 bytes are one tile of 512, and 64 rows are eight tiles of 8
    expect(layout).toMatchObject({
      image: { modifier: X, planes: [{ offset: 0n, pitch: 512 }] },
      size: 32_768n,
    });
    expect(await rig.broker.explain(OWNER, image({ entries }))).toMatchObject({
      feasible: true,
      constraints: expect.arrayContaining([
        { kind: 'modifiers', value: [X, 0n], origin: { entry: 0, device: GPU.node, source: 'client' } },
      ]) as unknown,
    });
    rig.broker.ownerLeft(OWNER.bus, OWNER.name);
    rig.broker.close();
  });

  it('is what parties agree on, too', async () => {
    const its = partiesRig();
    its.first.constrain({ alternatives: [entries], keep: true });
    expect((await its.first.buffers()).layout).toMatchObject({ image: { modifier: X }, size: 32_768n });
    its.first.vanish();
  });
});

describe('where there is no memory for tiles', () => {
  // 64 × 64 in X tiles are 32,768 bytes, linear 16,384
  const entries = [entry(GPU.node, { uses: ['scanout', 'render'], limits: { modifiers: [X, 0n] } })];
  const small = `${ROOMY}[Broker]\nMaxBuffer=20K\n`;
  const onlyTiles = [entry(GPU.node, { uses: ['scanout', 'render'], limits: { modifiers: [X] } })];

  it.each([
    ['MaxBuffer', small],
    ['a quota', `${ROOMY}[Quota]\nBytes=20K\n`],
    ['the pool', '[Pool scattered]\nLimit=20K\n[Pool contiguous]\nLimit=20K\n'],
  ])('because of %s, a request that takes linear gets that', async (_what, policy) => {
    const rig = makeRig({ policy });
    const { layout, fds } = await rig.broker.allocate(OWNER, image({ entries }));
    closeAll(fds);
    expect(layout).toMatchObject({ image: { modifier: 0n }, size: 16_384n });
    rig.broker.ownerLeft(OWNER.bus, OWNER.name);
    const explanation = await rig.broker.explain(OWNER, image({ entries }));
    expect(explanation).toMatchObject({ layout: { image: { modifier: 0n } }, limits: [] });
    expect(explanation.leftOut).toEqual([expect.stringContaining('0x100000000000001')]);
    await expect(rig.broker.allocate(OWNER, image({ entries: onlyTiles }))).rejects.toMatchObject({
      code: expect.stringMatching(/QuotaExceeded|PoolExhausted/) as string,
    });
    rig.broker.ownerLeft(OWNER.bus, OWNER.name);
    rig.broker.close();
  });

  it.each([
    ['max-bytes', { ...IMAGE, maxBytes: 20_480n }, ROOMY],
    ['MaxBuffer', IMAGE, small],
  ])('because of %s, parties that take linear get that', async (_what, spec, policy) => {
    const its = partiesRig(spec, { policy });
    its.first.constrain({ alternatives: [entries], keep: true });
    expect((await its.first.buffers()).layout).toMatchObject({ image: { modifier: 0n }, size: 16_384n });
    its.first.vanish();
  });
});

describe('of parties in tiles', () => {
  const listed = {
    alternatives: [[entry(GPU.node, { uses: ['scanout'], limits: { modifiers: [X, 0n] } })]],
    keep: true,
  };
  const silent = { alternatives: [[entry(GPU.node, { uses: ['scanout'] })]], keep: true };

  it('one that lists nothing gets none, although its device publishes them', async () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite('must')[0]);
    its.first.constrain(listed);
    guest.constrain(silent);
    expect((await guest.buffers()).layout).toMatchObject({ image: { modifier: 0n } });
    guest.vanish();
    its.first.vanish();
  });

  it('a late one that lists nothing does without', async () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite('late')[0]);
    its.first.constrain(listed);
    expect((await its.first.buffers()).layout).toMatchObject({ image: { modifier: X } });
    guest.constrain(silent);
    await vi.waitFor(() => {
      expect(guest.state).toBe('aside');
    });
    guest.vanish();
    its.first.vanish();
  });

  it('each sees of the modifiers what its own user listed', async () => {
    const its = partiesRig({ ...IMAGE, content: { width: 64, height: 64, modifiers: [X, Y, 0n] } });
    const guest = its.join(its.first.invite('must', { uid: 1001 })[0], { uid: 1001 });
    its.first.constrain(listed);
    guest.constrain({ ...silent, alternatives: [[entry(GPU.node, { limits: { modifiers: [X, 0n] } })]] });
    await guest.buffers();
    const seen = async (party: Guest): Promise<readonly bigint[]> => {
      const { constraints } = await its.rig.broker.parties.explain(party.owner, party.id);
      return constraints.flatMap(({ isHidden, constraint: { kind, value } }) =>
        !isHidden && kind === 'modifiers' ? value : [],
      );
    };
    expect(await seen(guest)).not.toContain(Y);
    expect(await seen(its.first)).toContain(Y);
    expect(
      partyConstraint(
        {
          kind: 'modifiers',
          value: [0n, X, Y],
          origin: { entry: -1, device: '', source: 'memory:p' },
          memory: 'p',
        },
        {
          entries: [
            entry(GPU.node, { limits: { modifiers: [Y] } }),
            entry(GPU.node, { limits: { modifiers: [X] } }),
          ],
          places: [0, 1].map((party) => ({ party, alternative: 0, entry: 0 })),
          needs: [],
        },
        (party) => party === 1,
      ),
    ).toMatchObject({ isHidden: false, constraint: { value: [0n, X] } });
    guest.vanish();
    its.first.vanish();
  });
});

describe('a negotiation about thousands of modifiers', () => {
  it('looks at about one list in a step, and at each a few times', async () => {
    let reads = 0;
    const counted = (list: readonly bigint[]): readonly bigint[] =>
      new Proxy(list, {
        get(target, key): unknown {
          if (typeof key === 'string' && /^\d/.test(key)) reads += 1;
          return Reflect.get(target, key) as unknown;
        },
      });
    const LENGTH = 4000;
    const PARTIES = 32;
    // The first 64 are known, the others have reserved bits
    const long = Array.from({ length: LENGTH }, (_, i) => 0x0200_0000_0000_1901n + (BigInt(i) << 21n));
    const proposal = (): Proposal => ({
      alternatives: [[entry(GPU.node, { limits: { modifiers: counted([...long]) } })]],
      keep: true,
    });
    const ofStep: number[] = [];
    const run = vi.spyOn(Searches.prototype, 'run').mockImplementation(async (_owner, steps) => {
      for (;;) {
        reads = 0;
        const step = steps.next();
        ofStep.push(reads);
        if (step.done === true) return Promise.resolve(step.value);
      }
    });
    const formats = ['YUYV', 'AYUV', 'XR24'];
    const its = partiesRig({ content: { width: 64, height: 64 }, formats });
    const tokens = its.first.invite('must', { count: PARTIES - 1 });
    const guests = tokens.map((token) => its.join(token));
    for (const guest of [its.first, ...guests]) guest.constrain(proposal());
    expect((await its.first.buffers()).layout.image?.modifier).toBe(long[0]);
    expect(Math.max(...ofStep)).toBeLessThan(3 * LENGTH);
    // For each format its tiles are looked up in each list, and which items a list has is found out once.
    expect(ofStep.reduce((sum, each) => sum + each)).toBeLessThan((formats.length + 2) * LENGTH * PARTIES);
    for (const guest of [its.first, ...guests]) guest.vanish();
    run.mockRestore();
  });
});
