import { describe, expect, it } from 'vitest';

import { type ReachFact, CPU_DEVICE } from '../../../daemon/devices/inventory.js';
import {
  importsForeign,
  reachConstraints,
  reachedFor,
  reachedForAny,
  reachOf,
} from '../../../daemon/devices/reach.js';
import type { DeviceRules, ForeignImports } from '../../../daemon/policy/policy.js';
import type { Use } from '../../../dbus/names.js';
import { device, heap, NO_RULES } from '../../tools/devices.js';

const SYSTEM = heap('dma-heap:system');
const OWN = heap('drm-dumb:/dev/dri/card0', 'drm-dumb', { node: '/dev/dri/card0' });
const OTHER = heap('drm-dumb:/dev/dri/card1', 'drm-dumb', { node: '/dev/dri/card1' });
const PLAIN = heap('memfd', 'memfd');
const HEAPS = [SYSTEM, OWN, OTHER, PLAIN];

const RULE = 'policy:/etc/dmabroker/dmabroker.conf:9';
const imports = (value: ForeignImports): DeviceRules => ({
  ...NO_RULES,
  foreignImports: { value, source: RULE },
});
const trial = (id: string, reachable: boolean, node = '/dev/dri/card0'): ReachFact => ({
  device: node,
  heap: id,
  reachable,
  source: `trial:PRIME_FD_TO_HANDLE${reachable ? '' : ':ENODEV'}`,
});

const who = (rules: DeviceRules, trials: readonly ReachFact[] = [], on = device()) =>
  new Map(reachOf(on, HEAPS, trials, rules).refusals.map(({ heap: id, source }) => [id, source]));

describe('reachOf', () => {
  it('believes the kernel where nobody says more: own and ordinary memory, no plain and no foreign one', () => {
    expect(reachOf(device(), HEAPS, [], NO_RULES)).toEqual({
      heaps: [SYSTEM.id, OWN.id],
      refusals: [
        { heap: OTHER.id, source: 'kernel:PRIME_FD_TO_HANDLE' },
        { heap: PLAIN.id, source: 'kernel:memfd' },
      ],
    });
  });

  it('believes a driver that imports nothing, but for its own memory', () => {
    const on = device({ imports: { value: false, source: 'kernel:DRM_CAP_PRIME' } });
    const refused = who(NO_RULES, [], on);
    expect(refused.get(SYSTEM.id)).toBe('kernel:DRM_CAP_PRIME');
    expect(refused.has(OWN.id)).toBe(false);
  });

  it('believes a trial that succeeded over the kernel', () => {
    const on = device({ imports: { value: false, source: 'kernel:DRM_CAP_PRIME' } });
    const refused = who(NO_RULES, [trial(SYSTEM.id, true), trial(OTHER.id, true)], on);
    expect([...refused.keys()]).toEqual([PLAIN.id]);
  });

  it('believes a rule over a trial that succeeded', () => {
    const refused = who(imports(false), [trial(SYSTEM.id, true), trial(OTHER.id, true)]);
    expect([...refused]).toEqual([
      [SYSTEM.id, RULE],
      [OTHER.id, RULE],
      [PLAIN.id, 'kernel:memfd'],
    ]);
  });

  it('believes a rule that a driver imports everything', () => {
    const on = device({ imports: { value: false, source: 'kernel:DRM_CAP_PRIME' } });
    expect([...who(imports(true), [], on).keys()]).toEqual([PLAIN.id]);
  });

  it('believes a trial that failed over everything', () => {
    const failed = 'trial:PRIME_FD_TO_HANDLE:ENODEV';
    const refused = who(imports(true), [trial(SYSTEM.id, false), trial(OWN.id, false)]);
    expect([...refused]).toEqual([
      [SYSTEM.id, failed],
      [OWN.id, failed],
      [PLAIN.id, 'kernel:memfd'],
    ]);
  });

  it('believes a trial that failed for some uses alone, for those', () => {
    const gpu = device({ uses: ['scanout', 'render'] });
    const scanout = { reachable: false, source: 'trial:ADDFB2:EREMOTE', uses: ['scanout'] } as const;
    const trials = [trial(SYSTEM.id, true), { ...trial(SYSTEM.id, false), ...scanout }];
    const reach = reachOf(gpu, HEAPS, trials, NO_RULES);
    expect(reach.heaps).toEqual([SYSTEM.id, OWN.id]);
    expect(reach.refusals).toContainEqual({
      heap: SYSTEM.id,
      source: 'trial:ADDFB2:EREMOTE',
      uses: ['scanout'],
    });
    // Whoever may not import at all need not be told more.
    const ruled = reachOf(gpu, HEAPS, trials, imports(false)).refusals;
    expect(ruled.filter(({ heap: id }) => id === SYSTEM.id)).toEqual([{ heap: SYSTEM.id, source: RULE }]);
  });

  describe('with a rule by use', () => {
    const gpu = device({ uses: ['scanout', 'render'] });
    const scanout = (value: ForeignImports, all?: boolean): DeviceRules => ({
      ...(all === undefined ? NO_RULES : imports(all)),
      foreignImportsFor: [{ value, source: 'policy:use', uses: ['scanout'] }],
    });
    const of = (rules: DeviceRules, trials: readonly ReachFact[] = []) =>
      reachOf(gpu, [SYSTEM, OWN], trials, rules).refusals;
    const shown = { ...trial(SYSTEM.id, true), source: 'trial:ADDFB2' };
    const refused = [{ heap: SYSTEM.id, source: 'policy:use', uses: ['scanout'] }];

    it('refuses others’ memory for that use, whatever a trial showed', () => {
      expect(of(scanout(false))).toEqual(refused);
      expect(of(scanout(false), [shown])).toEqual(refused);
    });

    it('refuses it until a trial showed it', () => {
      expect(of(scanout('tried'))).toEqual(refused);
      expect(of(scanout('tried'), [trial(SYSTEM.id, true)])).toEqual(refused);
      expect(of(scanout('tried'), [shown])).toEqual([]);
    });

    it('lets that use import where no other may', () => {
      expect(of(scanout(true, false))).toEqual([{ heap: SYSTEM.id, source: RULE, uses: ['render'] }]);
      expect(of(scanout(false, false))).toEqual([{ heap: SYSTEM.id, source: RULE }]);
      expect(of(scanout(false, true))).toEqual(refused);
    });
  });

  it('leaves it to the trials where the rule says so', () => {
    expect(who(imports('tried')).get(SYSTEM.id)).toBe(RULE);
    expect(who(imports('tried'), [trial(SYSTEM.id, true)]).has(SYSTEM.id)).toBe(false);
  });

  it("takes no other device's trial for its own", () => {
    expect(who(NO_RULES, [trial(SYSTEM.id, false, '/dev/dri/card1')]).has(SYSTEM.id)).toBe(false);
  });

  it('lets programs map everything', () => {
    expect(reachOf(CPU_DEVICE, HEAPS, [], { ...NO_RULES, known: false }).refusals).toEqual([]);
  });
});

describe('reachedFor', () => {
  const gpu = device({ uses: ['scanout', 'render'] });
  const rule: DeviceRules = {
    ...NO_RULES,
    foreignImportsFor: [{ value: false, source: RULE, uses: ['scanout'] }],
  };
  const reach = reachOf(gpu, [SYSTEM, OWN], [], rule);

  it('leaves out what is refused for one of the uses', () => {
    expect(reachedFor(reach, ['scanout'])).toEqual([OWN.id]);
    expect(reachedFor(reach, ['render', 'scanout'])).toEqual([OWN.id]);
    expect(reachedFor(reach, ['render'])).toEqual([SYSTEM.id, OWN.id]);
    expect(reachedFor(reach, [])).toEqual([SYSTEM.id, OWN.id]);
  });

  it('has what one use or another takes', () => {
    expect(reachedForAny(reach, gpu)).toEqual([SYSTEM.id, OWN.id]);
    expect(reachedForAny(reach, { uses: ['scanout'] })).toEqual([OWN.id]);
    expect(reachedForAny(reach, { uses: [] })).toEqual([SYSTEM.id, OWN.id]);
  });

  it('knows before a trial whether foreign memory is imported', () => {
    const scanout = (rules: DeviceRules, on = gpu) => importsForeign(on, 'scanout', rules);
    expect(scanout(NO_RULES)).toBe(true);
    expect(scanout(rule)).toBe(false);
    expect(importsForeign(gpu, 'render', rule)).toBe(true);
    expect(scanout(imports('tried'))).toBe(false);
    expect(scanout(NO_RULES, device({ imports: { value: false, source: 'kernel:DRM_CAP_PRIME' } }))).toBe(
      false,
    );
  });
});

describe('reachConstraints', () => {
  const handles = new Map([
    [SYSTEM.id, 'p1'],
    [OTHER.id, 'p2'],
    [PLAIN.id, 'p3'],
  ]);

  it('says for each source which memories it leaves', () => {
    const on = device();
    const reach = reachOf(on, HEAPS, [trial(SYSTEM.id, false)], NO_RULES);
    const origin = { entry: 2, device: on.node };
    expect(reachConstraints(on, 2, reach, undefined, handles)).toEqual([
      {
        kind: 'reach',
        value: ['p2', 'p3'],
        origin: { ...origin, source: 'trial:PRIME_FD_TO_HANDLE:ENODEV' },
      },
      { kind: 'reach', value: ['p1', 'p3'], origin: { ...origin, source: 'kernel:PRIME_FD_TO_HANDLE' } },
      { kind: 'reach', value: ['p1', 'p2'], origin: { ...origin, source: 'kernel:memfd' } },
    ]);
  });

  it('asks nothing where nothing that has a pool is refused', () => {
    const on = device();
    const reach = reachOf(on, HEAPS, [], NO_RULES);
    expect(reachConstraints(on, 0, reach, undefined, new Map([[SYSTEM.id, 'p1']]))).toEqual([]);
    expect(
      reachConstraints(CPU_DEVICE, 0, reachOf(CPU_DEVICE, HEAPS, [], NO_RULES), undefined, handles),
    ).toEqual([]);
  });

  it('asks for what the uses need, and for no more where none is said', () => {
    const on = device();
    const only = { reachable: false, source: 'trial:ADDFB2:EREMOTE', uses: ['scanout'] } as const;
    const reach = reachOf(on, [SYSTEM], [{ ...trial(SYSTEM.id, false), ...only }], NO_RULES);
    const asked = (uses?: readonly Use[]) =>
      reachConstraints(on, 0, reach, uses, handles).map(({ origin }) => origin.source);
    expect(asked(['render', 'scanout'])).toEqual(['trial:ADDFB2:EREMOTE']);
    expect(asked(['render'])).toEqual([]);
    expect(asked()).toEqual([]);
  });

  it('names no heap', () => {
    const on = device();
    const text = JSON.stringify(
      reachConstraints(on, 0, reachOf(on, HEAPS, [], NO_RULES), undefined, handles),
    );
    for (const word of ['system', 'card1', 'drm-dumb', 'dma-heap']) expect(text).not.toContain(word);
  });
});
