import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Arena } from './arena.js';
import {
  AT_ONCE,
  NO_HARM,
  showsSecret,
  SIZE,
  type Harm,
  type Role,
  type Rotated,
  type VictimOrder,
} from './attack.js';
import { exporters, type Exporter } from './exporters.js';
import { UNTRIED, wayName, waysToTry, type Way } from './ways.js';

/** Secrets that the victim writes of each exporter's memory while everything is tried, at least; fewer without `--long`. */
const SECRETS = process.env['DMABROKER_VM_LONG'] ? 1000 : 100;
/** At a time, between which it is seen whether every way was tried. */
const ROUNDS = SECRETS / 10;
/** Times that the victim takes all that lies ready, because what was released may be on its way there. */
const TURNS = 2;

/** How one way went. */
interface Outcome {
  readonly way: Way;
  /** What the keeper said. */
  readonly said: string;
  /** Whether it counted after its release, while it was kept. */
  readonly counted: boolean;
  /** Whether it counted no more once it was let go, or only when its owner had left the bus. */
  readonly ended: 'at once' | 'when its user left';
  /** What the attacker saw: of the keeper's marks, zeroes, or a secret. */
  readonly saw: string;
  readonly harm: Harm;
}

const MARK = /[89a-f][0-9a-f]/;

function seenIn(peeked: readonly string[]): string {
  const places = peeked.flatMap((line) => line.split(' '));
  if (places.some(showsSecret)) return 'secret';
  if (places.every((place) => place === '-')) return 'nothing';
  return places.some((place) => MARK.test(place.slice(0, 2))) ? 'its own' : 'zeroes';
}

const worst = (...seen: readonly string[]): string =>
  ['secret', 'zeroes', 'its own'].find((what) => seen.includes(what)) ?? 'nothing';

const sum = (one: Harm, other: Harm): Harm => ({
  dirty: one.dirty + other.dirty,
  overwritten: one.overwritten + other.overwritten,
});

/** Keeps a buffer in one way, has the victim take all that lies ready, and looks what either finds of the other. */
export async function tryWay(
  arena: Arena,
  attacker: Role<'attacker'>,
  victim: Role<'victim'>,
  way: Way,
): Promise<Outcome> {
  const harmed = async (order: VictimOrder): Promise<Harm> => (await victim.order(order)) as Harm;
  // With nothing ready any more, what the attacker releases is wanted.
  let harm = await harmed({ take: AT_ONCE });
  const said = (await attacker.order({ keep: way })) as string;
  const counted = said.startsWith('kept') && (await arena.counted(attacker)) > 0n;
  const pokes = (await attacker.order('poke')) as readonly string[];
  const reaches = said === 'kept pages' || pokes.some((count) => count !== '0');
  const look = async (): Promise<string> => seenIn((await attacker.order('peek')) as readonly string[]);
  let saw = await look();
  for (let turn = 0; reaches && turn < TURNS; turn += 1) {
    harm = sum(harm, await harmed({ take: AT_ONCE }));
    saw = worst(saw, await look());
    await attacker.order('poke');
    harm = sum(harm, await harmed('release'));
    saw = worst(saw, await look());
  }
  harm = sum(harm, await harmed('release'));
  await attacker.order('drop');
  const ended = (await arena.ended(attacker)) ? 'at once' : 'when its user left';
  if (ended !== 'at once') await attacker.order('leave');
  await arena.nothingLives(attacker);
  return { way, said, counted, ended, saw, harm };
}

const answer = ({ said, counted }: Outcome): string => {
  if (!said.startsWith('kept')) return said;
  return `${counted ? 'counted' : 'silent'} (${said.slice('kept '.length)})`;
};

function row(exporter: Exporter, outcome: Outcome): string {
  const { way, saw, ended, harm } = outcome;
  const more = [
    ...(outcome.said.startsWith('kept') ? [`saw ${saw}`] : []),
    ...(ended === 'at once' ? [] : [`counted until its user left`]),
    ...(harm.overwritten > 0 ? [`overwrote ${harm.overwritten}`] : []),
    ...(harm.dirty > 0 ? [`left ${harm.dirty} dirty`] : []),
  ];
  return `${exporter.name} | ${wayName(way)} | ${[answer(outcome), ...more].join(', ')}`;
}

/**
 * Tests what a former holder can do to the next one, and whether what it keeps counts.
 * @param kind of exporters, of which the machine may have none
 */
export function testExporters(kind: Exporter['kind']): void {
  for (const exporter of exporters().filter((each) => each.kind === kind)) testExporter(exporter);
}

function testExporter(exporter: Exporter): void {
  describe(`memory of ${exporter.name}`, () => {
    const outcomes: Outcome[] = [];
    const named = (wrong: (outcome: Outcome) => boolean): readonly string[] =>
      outcomes.filter(wrong).map((outcome) => row(exporter, outcome));

    it('is kept in every way that there is', async (test) => {
      await using arena = await Arena.open(exporter);
      await using attacker = await arena.attacker();
      await using victim = await arena.victim();
      for (const way of waysToTry()) {
        const outcome = await tryWay(arena, attacker, victim, way);
        outcomes.push(outcome);
        test.diagnostic(row(exporter, outcome));
      }
      for (const [way, why] of Object.entries(UNTRIED))
        test.diagnostic(`${exporter.name} | ${way} | not tried: ${why}`);
      // So that what follows is not true of nothing.
      assert(outcomes.some(({ way, said }) => way.name === 'mapping' && said === 'kept pages'));
    });

    it('shows a former holder no byte of the next one', () => {
      assert.deepEqual(
        named(({ saw }) => saw === 'secret'),
        [],
      );
    });

    it('is not overwritten by a former holder, and comes without a byte of it', () => {
      assert.deepEqual(
        named(({ harm }) => harm.dirty + harm.overwritten > 0),
        [],
      );
    });

    if (exporter.counts)
      it('counts while a reference to it is kept', () => {
        assert.deepEqual(
          named(({ way, said, counted }) => way.keeps === 'reference' && said.startsWith('kept') && !counted),
          [],
        );
      });

    it(`keeps ${SECRETS} secrets while everything is tried`, async (test) => {
      await using arena = await Arena.open(exporter);
      await using attacker = await arena.attacker();
      await using victim = await arena.victim();
      const all = waysToTry();
      await attacker.order({ rotate: all });
      let [written, attempts, harm] = [0, 0, NO_HARM];
      while (written < SECRETS || attempts < all.length) {
        harm = sum(harm, (await victim.order({ rounds: ROUNDS })) as Harm);
        written += ROUNDS;
        attempts = (await attacker.order('attempts')) as number;
      }
      const { tried, seen } = (await attacker.order('stop')) as Rotated;
      test.diagnostic(
        `${exporter.name}: ${written} secrets of ${SIZE} bytes, ${attempts} attempts in ${Object.keys(tried).length} ways`,
      );
      assert.deepEqual({ seen, ...harm }, { seen: [], ...NO_HARM });
    });
  });
}
