import { MEMORY_CLASSES, type MemoryClass } from '../../../dbus/names.js';
import { amountText } from '../../../daemon/pools/amount.js';
import type { Fit } from '../../../daemon/pools/fit.js';
import { wrap } from '../table.js';
import { percentText, type Simulated } from './report.js';
import { element, escapeXml, label } from '../svg.js';

/** Pixels. */
const COLUMN = 176;
const GAP = 16;
const LEFT = 64;
const TOP = 64;
const BAR_HEIGHT = 220;
const BAR_WIDTH = 64;
const LINE = 14;
/** Characters of small text that a column is wide. */
const LETTERS = 28;
const LETTERS_BOLD = 22;

/** Share of RAM at the top of the bars, unless a machine hands out more. */
const FULL = 0.3;
/** What the shipped policy keeps below, and a person compares with. */
const QUARTER = 0.25;

/** Colours that differ in brightness too, on white and on black. */
const COLOURS: Readonly<Record<MemoryClass, string>> = {
  scattered: '#4477aa',
  contiguous: '#ee8866',
  device: '#44bb99',
  protected: '#aa4499',
  plain: '#bbbbbb',
};

const STYLE = `
svg { background: #ffffff; font-family: sans-serif; font-size: 11px; }
text { fill: #1a1a1a; }
.bold { font-weight: bold; font-size: 13px; }
.dim { fill: #5f5f5f; }
.bad { fill: #b00020; }
.good { fill: #1b6e3c; }
.axis { stroke: #8a8a8a; stroke-width: 1; }
.limit { stroke: #b00020; stroke-width: 1; stroke-dasharray: 4 3; }
.ram { fill: #ececec; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181c; }
  text { fill: #ececec; }
  .dim { fill: #a8a8a8; }
  .bad { fill: #ff8a80; }
  .good { fill: #7fd6a0; }
  .axis { stroke: #7a7a7a; }
  .limit { stroke: #ff8a80; }
  .ram { fill: #2a2d33; }
}`;

/** Draws machines side by side: the share of RAM that pools may hand out, how many pictures fit, and what lacks. */
export function drawSimulations(simulated: readonly Simulated[]): string {
  const columns = simulated.map((each) => ({ each, head: headOf(each), notes: notesOf(each) }));
  const headLines = Math.max(1, ...columns.map(({ head }) => head.length));
  const noteLines = Math.max(1, ...columns.map(({ notes }) => notes.length));
  const scale = Math.max(
    FULL,
    ...simulated.map(({ simulation }) => shareOf(simulation.handOut, simulation.inventory.machine.ram.value)),
  );
  const barTop = TOP + headLines * LINE + GAP;
  const notesTop = barTop + BAR_HEIGHT + 2 * GAP;
  const width = LEFT + columns.length * (COLUMN + GAP);
  const height = notesTop + noteLines * LINE + GAP;
  return `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' },
    [
      element('title', {}, [escapeXml('What the policy makes of each machine')]),
      element('style', {}, [STYLE]),
      legend(),
      axis(barTop, scale, width),
      ...columns.map(({ each, head, notes }, index) =>
        element('g', { transform: `translate(${LEFT + index * (COLUMN + GAP)} 0)` }, [
          ...head.map(({ text, style }, line) => label(text, 0, TOP + line * LINE, style)),
          ...bar(each, barTop, scale),
          ...notes.map(({ text, style }, line) => label(text, 0, notesTop + line * LINE, style)),
        ]),
      ),
      element('line', {
        class: 'limit',
        x1: LEFT,
        x2: width - GAP,
        ...across(barTop + BAR_HEIGHT * (1 - QUARTER / scale)),
      }),
    ],
  )}\n`;
}

interface Line {
  readonly text: string;
  readonly style: string;
}

const lines = (text: string, style: string, letters = LETTERS): readonly Line[] =>
  wrap(text, letters).map((each) => ({ text: each, style }));

const headOf = ({ name, simulation: { inventory } }: Simulated): readonly Line[] => [
  ...lines(name, 'bold', LETTERS_BOLD),
  ...(inventory.machine.name === name ? [] : lines(inventory.machine.name, 'dim')),
  ...lines(`${amountText(inventory.machine.ram.value)} of RAM`, 'dim'),
];

/** What stands below a bar: the pictures, then what lacks. */
const notesOf = ({ simulation: { fits, shortfalls } }: Simulated): readonly Line[] => [
  ...(fits.length === 0 ? lines('no display and no camera', 'dim') : fits.flatMap(fitLines)),
  ...shortfalls.flatMap(({ text }) => [{ text: '', style: '' }, ...lines(text, 'bad')]),
];

const fitLines = ({ need, held, alone }: Fit): readonly Line[] => [
  ...lines(`${need.kind} ${need.name}`, ''),
  ...lines(`${need.frame.width}×${need.frame.height} ${need.frame.format}`, 'dim'),
  ...lines(
    `holds ${held} of ${need.frames.value}, alone ${alone}`,
    held < BigInt(need.frames.value) ? 'bad' : 'good',
  ),
];

function legend(): string {
  const entries = MEMORY_CLASSES.map((memoryClass, index) =>
    element('g', { transform: `translate(${index * 96} 0)` }, [
      element('rect', { x: 0, y: 0, width: 12, height: 12, fill: COLOURS[memoryClass] }),
      label(memoryClass, 18, 10),
    ]),
  );
  return element('g', { transform: `translate(${LEFT} ${GAP})` }, entries);
}

function axis(top: number, scale: number, width: number): string {
  const bottom = top + BAR_HEIGHT;
  const step = scale > 2 * FULL ? 0.25 : 0.05;
  const marks = Array.from({ length: Math.floor(scale / step + 0.001) + 1 }, (_, index) => index * step);
  return element('g', {}, [
    label('of RAM', GAP / 2, top - GAP / 2, 'dim'),
    ...marks.map((share) =>
      label(`${Math.round(share * 100)} %`, GAP / 2, bottom - (share / scale) * BAR_HEIGHT + 4, 'dim'),
    ),
    element('line', { class: 'axis', x1: LEFT - GAP / 2, x2: width - GAP, ...across(bottom) }),
  ]);
}

/** A horizontal line's height. */
const across = (y: number): { readonly y1: number; readonly y2: number } => ({ y1: y, y2: y });

/** Segments of a bar are at least as high as a line of text before their amount is written beside them. */
function bar(
  { simulation: { rooms, handOut, inventory } }: Simulated,
  top: number,
  scale: number,
): readonly string[] {
  const ram = inventory.machine.ram.value;
  const bottom = top + BAR_HEIGHT;
  let y = bottom;
  const segments = MEMORY_CLASSES.flatMap((memoryClass) => {
    const bytes = rooms
      .filter((room) => room.class === memoryClass)
      .reduce((sum, room) => sum + room.bytes, 0n);
    if (bytes === 0n) return [];
    const height = (shareOf(bytes, ram) / scale) * BAR_HEIGHT;
    y -= height;
    return [
      element('rect', { x: 0, y, width: BAR_WIDTH, height, fill: COLOURS[memoryClass] }, [
        element('title', {}, [
          escapeXml(`${memoryClass}: ${amountText(bytes)}, ${percentText(bytes, ram)} of RAM`),
        ]),
      ]),
      ...(height < LINE ? [] : [label(amountText(bytes), BAR_WIDTH + 6, y + height / 2 + 4)]),
    ];
  });
  return [
    element('rect', { class: 'ram', x: 0, y: top, width: BAR_WIDTH, height: BAR_HEIGHT }),
    ...segments,
    label(percentText(handOut, ram), 0, y - 4, 'bold'),
  ];
}

const shareOf = (part: bigint, whole: bigint): number =>
  whole === 0n ? 0 : Number((part * 1_000_000n) / whole) / 1_000_000;
