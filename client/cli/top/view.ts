import { poolName } from '../memory-names.js';
import { bytesText } from '../numbers.js';
import type { Colour } from '../output.js';
import { clipped, formatTable, printable, widthOf, wrap, type Column } from '../table.js';
import type { OwnerPicture, Picture, PoolPicture } from './tally.js';

export interface ViewOptions {
  /** Columns of the terminal; Infinity for a file. */
  readonly width: number;
  /** Rows of the terminal; Infinity for a file. */
  readonly height: number;
  /** Gives text a colour, or not. */
  readonly colour: (colour: Colour, text: string) => string;
  /** The last line, where there is a person at a keyboard. */
  readonly foot?: string;
}

/** The picture as lines, none longer than the terminal is wide and no more than it has. */
export function viewLines(picture: Picture, options: ViewOptions): readonly string[] {
  const { height, foot } = options;
  const tables = [...headLines(picture, options), '', ...poolLines(picture.pools, options)];
  const feet = foot === undefined ? [] : ['', options.colour('dim', clipped(foot, options.width))];
  // Of owners as many as there is room for; the tables above them say what matters most.
  const room = height - tables.length - feet.length - 1;
  const owners = ['', ...ownerLines(picture.owners, options, room)];
  return [...tables, ...owners, ...feet].slice(0, height);
}

function headLines({ broker, pools }: Picture, { width, colour }: ViewOptions): readonly string[] {
  if (broker === undefined)
    return [colour('yellow', clipped('No daemon on this bus; waiting for one.', width))];
  const sum = (of: (pool: PoolPicture) => number): string =>
    rateText(pools.reduce((all, pool) => all + of(pool), 0));
  const { version, liveBuffers, liveBytes, warnings, shortfalls } = broker;
  const rates = `${sum((pool) => pool.hitsPerSecond)} hits/s, ${sum((pool) => pool.missesPerSecond)} misses/s`;
  const title = `dmabroker ${printable(version)}: ${liveBuffers} buffers, ${bytesText(liveBytes)}; ${rates}`;
  const problems = [...counted(shortfalls.length, 'shortfall'), ...counted(warnings.length, 'warning')].join(
    ', ',
  );
  return [
    colour('bold', clipped(title, width)),
    ...(problems === '' ? [] : [colour('yellow', clipped(`${problems}: dmabrokerctl status`, width))]),
  ];
}

const counted = (count: number, what: string): readonly string[] =>
  count === 0 ? [] : [`${count} ${what}${count === 1 ? '' : 's'}`];

const right = (title: string): Column => ({ title, align: 'right' });
/** As wide as any size, so that columns stay in their place while sizes change. */
const size = (title: string): Column => right(title.padStart('1023.9 MiB'.length));

const POOL_COLUMNS: readonly Column[] = [
  { title: 'POOL' },
  size('LIVE'),
  size('LIMIT'),
  { title: 'USED' },
  size('WARM'),
  right('BUFS/S'),
  right('HIT %'),
];
/** Letters of the bar, most to least, of which the first that leaves room is taken. */
const BAR_WIDTHS = [40, 30, 20, 15, 10, 8, 6, 4, 0];

function poolLines(pools: readonly PoolPicture[], { width, colour }: ViewOptions): readonly string[] {
  const table = (bar: number): readonly string[] =>
    formatTable(
      POOL_COLUMNS,
      pools.map((pool) => [
        poolName(pool, pools),
        bytesText(pool.live),
        bytesText(pool.limit),
        usedText(pool, bar),
        bytesText(pool.warm),
        rateText(pool.hitsPerSecond + pool.missesPerSecond),
        hitText(pool),
      ]),
      Infinity,
    );
  const fitting = BAR_WIDTHS.map(table).find((lines) => lines.every((line) => widthOf(line) <= width));
  const lines = (fitting ?? table(0)).map((line) => clipped(line, width));
  // Whole lines, so that a colour is never cut.
  return lines.map((line, index) => {
    const pool = pools[index - 1];
    if (pool === undefined) return colour('bold', line);
    const warning = warningOf(pool);
    return warning === undefined ? line : colour(warning, line);
  });
}

/** Hundredths of the limit that are live; a pool that may hold nothing is full when anything is live. */
const hundredths = ({ live, limit }: PoolPicture): number =>
  limit === 0n ? (live === 0n ? 0 : 100) : Number((live * 100n) / limit);

function usedText(pool: PoolPicture, bar: number): string {
  const used = hundredths(pool);
  const text = `${used} %`.padStart(5);
  if (bar === 0) return text;
  const full = Math.min(bar, Math.round((used * bar) / 100));
  return `${'#'.repeat(full)}${'-'.repeat(bar - full)} ${text}`;
}

/** How many of a hundred buffers lay ready lately; nothing where none were asked for. */
function hitText({ hitsPerSecond, missesPerSecond }: PoolPicture): string {
  const all = hitsPerSecond + missesPerSecond;
  return all === 0 ? '' : String(Math.round((100 * hitsPerSecond) / all));
}

function warningOf(pool: PoolPicture): Colour | undefined {
  const used = hundredths(pool);
  if (used >= FULL_PERCENT) return 'red';
  return used >= NEARLY_FULL_PERCENT ? 'yellow' : undefined;
}

const FULL_PERCENT = 95;
const NEARLY_FULL_PERCENT = 80;

const OWNER_COLUMNS: readonly Column[] = [
  { title: 'OWNER' },
  right('USER'),
  { title: 'STATE' },
  right('BUFFERS'),
  size('SIZE'),
  right('NEW/S'),
];
const WHAT_TITLE = 'PROCESS, UNIT: LABELS';
/** Lines of the last column that one owner takes at most where the terminal is narrow. */
const MAX_OWNER_LINES = 3;

/** @param room rows that there are for them, the title and a line about those that are left out included */
function ownerLines(
  owners: readonly OwnerPicture[],
  { width, colour }: ViewOptions,
  room: number,
): readonly string[] {
  const [title = '', ...rows] = formatTable(OWNER_COLUMNS, owners.map(ownerCells), Infinity);
  const indent = Math.max(...[title, ...rows].map(widthOf)) + 2;
  const beside = (row: string, what: readonly string[]): readonly string[] =>
    what.map((part, index) => clipped(`${(index === 0 ? row : '').padEnd(indent)}${part}`.trimEnd(), width));
  const blocks = rows.map((row, index) => beside(row, whatLines(owners[index], width - indent)));
  const shown = fitting(blocks, room - 1);
  const left = blocks.length - shown.length;
  return [
    colour('bold', beside(title, [WHAT_TITLE]).join('')),
    ...shown.flat(),
    ...(left === 0 ? [] : [colour('dim', clipped(`and ${left} more`, width))]),
  ];
}

/** As many of the first blocks as there is room for; where not all of them fit, a line is left for saying so. */
function fitting(blocks: readonly (readonly string[])[], room: number): readonly (readonly string[])[] {
  if (blocks.flat().length <= room) return blocks;
  let left = room - 1;
  const end = blocks.findIndex(({ length }) => (left -= length) < 0);
  return blocks.slice(0, end);
}

/** Who it is and what it has, in lines of this width. */
function whatLines(owner: OwnerPicture | undefined, width: number): readonly string[] {
  if (owner === undefined) return [''];
  const who = [owner.process ?? '', owner.unit].filter((part) => part !== '').join(', ');
  const text = printable([who, owner.labels.join(', ')].filter((part) => part !== '').join(': '));
  const all = width < MIN_WHAT_WIDTH ? [text] : wrap(text, width);
  if (all.length <= MAX_OWNER_LINES) return all;
  const last = all.slice(MAX_OWNER_LINES - 1).join(' ');
  return [...all.slice(0, MAX_OWNER_LINES - 1), clipped(last, width)];
}

/** Narrower than this, text is clipped and not broken. */
const MIN_WHAT_WIDTH = 10;

const ownerCells = (each: OwnerPicture): readonly string[] => [
  each.owner,
  String(each.user),
  each.state,
  String(each.buffers),
  bytesText(each.size),
  rateText(each.allocationsPerSecond),
];

/** Three digits are as many as anybody reads while they change. */
const rateText = (perSecond: number): string =>
  perSecond === 0 ? '0' : perSecond < 10 ? perSecond.toFixed(1) : perSecond.toFixed(0);
