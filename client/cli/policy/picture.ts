import { MEMORY_CLASSES, type MemoryClass } from '../../../dbus/names.js';
import { amountText } from '../../../daemon/sizing/amount.js';
import type { Fit } from '../../../daemon/sizing/fit.js';
import { wrap } from '../table.js';
import { percentText, type Simulated } from './report.js';
import { element, escapeXml, label } from '../svg.js';

/** Pixels. */
const COLUMN_PIXELS = 176;
const GAP_PIXELS = 16;
const LEFT_PIXELS = 64;
/** The legend above all rows, and what lies above the names in each. */
const LEGEND_PIXELS = 44;
const TOP_PIXELS = 20;
/** As wide as the legend. */
const MIN_WIDTH_PIXELS = 760;
const BAR_HEIGHT_PIXELS = 220;
const BAR_WIDTH_PIXELS = 64;
const LINE_PIXELS = 14;
/** Characters of small text that a column is wide. */
const COLUMN_LETTERS = 28;
const COLUMN_LETTERS_BOLD = 22;

/** Share of RAM at the top of the bars, unless a machine hands out more. */
const FULL_SHARE = 0.3;
/** What the shipped policy keeps below, and a person compares with. */
const QUARTER_SHARE = 0.25;
const QUARTER_TEXT = '25 % of RAM';
const QUARTER_TEXT_PIXELS = 66;

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
.share { fill: #b00020; }
.ram { fill: #ececec; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181c; }
  text { fill: #ececec; }
  .dim { fill: #a8a8a8; }
  .bad { fill: #ff8a80; }
  .good { fill: #7fd6a0; }
  .axis { stroke: #7a7a7a; }
  .limit { stroke: #ff8a80; }
  .share { fill: #ff8a80; }
  .ram { fill: #2a2d33; }
}`;

/** Machines that stand side by side; more are drawn below. */
const MACHINES_IN_ROW = 6;

interface MachineColumn {
  readonly machine: Simulated;
  readonly head: readonly Line[];
  readonly notes: readonly Line[];
}

/** Draws machines side by side, in rows: the share of RAM that pools may hand out, how many pictures fit, and what lacks. */
export function drawSimulations(simulated: readonly Simulated[]): string {
  const columns = simulated.map((machine) => ({ machine, head: headOf(machine), notes: notesOf(machine) }));
  const scale = Math.max(
    FULL_SHARE,
    ...simulated.map(({ simulation }) => shareOf(simulation.handOut, simulation.inventory.machine.ram.value)),
  );
  const inRow = Math.max(1, Math.min(MACHINES_IN_ROW, columns.length));
  const width = Math.max(MIN_WIDTH_PIXELS, LEFT_PIXELS + inRow * (COLUMN_PIXELS + GAP_PIXELS));
  let height = LEGEND_PIXELS;
  const rows: string[] = [];
  for (let first = 0; first === 0 || first < columns.length; first += inRow) {
    const row = drawRow(columns.slice(first, first + inRow), scale, width);
    rows.push(element('g', { transform: `translate(0 ${height})` }, row.elements));
    height += row.height;
  }
  return `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' },
    [
      element('title', {}, [escapeXml('What the policy makes of each machine')]),
      element('style', {}, [STYLE]),
      legend(),
      ...rows,
    ],
  )}\n`;
}

/** One row of machines under a common scale. @returns pixels that it takes, too */
function drawRow(
  columns: readonly MachineColumn[],
  scale: number,
  width: number,
): { readonly height: number; readonly elements: readonly string[] } {
  const headLines = Math.max(1, ...columns.map(({ head }) => head.length));
  const noteLines = Math.max(1, ...columns.map(({ notes }) => notes.length));
  const barTop = TOP_PIXELS + headLines * LINE_PIXELS + GAP_PIXELS;
  const notesTop = barTop + BAR_HEIGHT_PIXELS + 2 * GAP_PIXELS;
  const quarter = barTop + BAR_HEIGHT_PIXELS * (1 - QUARTER_SHARE / scale);
  const elements = [
    axis(barTop, scale, width),
    ...columns.map(({ machine, head, notes }, index) =>
      element('g', { transform: `translate(${LEFT_PIXELS + index * (COLUMN_PIXELS + GAP_PIXELS)} 0)` }, [
        ...head.map(({ text, style }, line) => label(text, 0, TOP_PIXELS + line * LINE_PIXELS, style)),
        ...bar(machine, barTop, scale),
        ...notes.map(({ text, style }, line) => label(text, 0, notesTop + line * LINE_PIXELS, style)),
      ]),
    ),
    element('line', { class: 'limit', x1: LEFT_PIXELS, x2: width - GAP_PIXELS, ...across(quarter) }),
    label(QUARTER_TEXT, width - GAP_PIXELS - QUARTER_TEXT_PIXELS, quarter - 4, 'share'),
  ];
  return { height: notesTop + noteLines * LINE_PIXELS + GAP_PIXELS, elements };
}

interface Line {
  readonly text: string;
  readonly style: string;
}

const lines = (text: string, style: string, letters = COLUMN_LETTERS): readonly Line[] =>
  wrap(text, letters).map((each) => ({ text: each, style }));

const headOf = ({ name, simulation: { inventory } }: Simulated): readonly Line[] => [
  ...lines(name, 'bold', COLUMN_LETTERS_BOLD),
  ...(inventory.machine.name === name ? [] : lines(inventory.machine.name, 'dim')),
  ...lines(`${amountText(inventory.machine.ram.value)} of RAM`, 'dim'),
];

/** What stands below a bar: the pictures, then what lacks. */
const notesOf = ({ simulation: { fits, shortfalls } }: Simulated): readonly Line[] => [
  ...(fits.length === 0 ? lines('no display and no camera', 'dim') : fits.flatMap(fitLines)),
  ...shortfalls.flatMap(({ text }) => [{ text: '', style: '' }, ...lines(text, 'bad')]),
];

const fitLines = ({ requirement, held, alone }: Fit): readonly Line[] => [
  ...lines(`${requirement.kind} ${requirement.name}`, ''),
  ...lines(`${requirement.frame.width}×${requirement.frame.height} ${requirement.frame.format}`, 'dim'),
  ...lines(
    `holds ${held} of ${requirement.frames.value}, alone ${alone}`,
    held < BigInt(requirement.frames.value) ? 'bad' : 'good',
  ),
];

function legend(): string {
  const entries = MEMORY_CLASSES.map((memoryClass, index) =>
    element('g', { transform: `translate(${index * 96} 0)` }, [
      element('rect', { x: 0, y: 0, width: 12, height: 12, fill: COLOURS[memoryClass] }),
      label(memoryClass, 18, 10),
    ]),
  );
  const quarter = element('g', { transform: `translate(${MEMORY_CLASSES.length * 96} 0)` }, [
    element('line', { class: 'limit', x1: 0, x2: 24, ...across(6) }),
    label('what shipped policies keep below', 30, 10),
  ]);
  return element('g', { transform: `translate(${GAP_PIXELS} ${GAP_PIXELS})` }, [...entries, quarter]);
}

function axis(top: number, scale: number, width: number): string {
  const bottom = top + BAR_HEIGHT_PIXELS;
  const step = scale > 2 * FULL_SHARE ? 0.25 : 0.05;
  const marks = Array.from({ length: Math.floor(scale / step + 0.001) + 1 }, (_, index) => index * step);
  return element('g', {}, [
    label('of RAM', GAP_PIXELS / 2, top - GAP_PIXELS / 2, 'dim'),
    ...marks.map((share) =>
      label(
        `${Math.round(share * 100)} %`,
        GAP_PIXELS / 2,
        bottom - (share / scale) * BAR_HEIGHT_PIXELS + 4,
        'dim',
      ),
    ),
    element('line', {
      class: 'axis',
      x1: LEFT_PIXELS - GAP_PIXELS / 2,
      x2: width - GAP_PIXELS,
      ...across(bottom),
    }),
  ]);
}

/** A horizontal line's height. */
const across = (y: number): { readonly y1: number; readonly y2: number } => ({ y1: y, y2: y });

/** Segments of a bar are at least as high as a line of text before their amount is written beside them. */
function bar(
  { simulation: { groups, handOut, inventory } }: Simulated,
  top: number,
  scale: number,
): readonly string[] {
  const ram = inventory.machine.ram.value;
  const bottom = top + BAR_HEIGHT_PIXELS;
  let y = bottom;
  const segments = MEMORY_CLASSES.flatMap((memoryClass) => {
    const bytes = groups
      .filter((group) => group.class === memoryClass)
      .reduce((sum, group) => sum + group.bytes, 0n);
    if (bytes === 0n) return [];
    const height = (shareOf(bytes, ram) / scale) * BAR_HEIGHT_PIXELS;
    y -= height;
    return [
      element('rect', { x: 0, y, width: BAR_WIDTH_PIXELS, height, fill: COLOURS[memoryClass] }, [
        element('title', {}, [
          escapeXml(`${memoryClass}: ${amountText(bytes)}, ${percentText(bytes, ram)} of RAM`),
        ]),
      ]),
      ...(height < LINE_PIXELS ? [] : [label(amountText(bytes), BAR_WIDTH_PIXELS + 6, y + height / 2 + 4)]),
    ];
  });
  return [
    element('rect', { class: 'ram', x: 0, y: top, width: BAR_WIDTH_PIXELS, height: BAR_HEIGHT_PIXELS }),
    ...segments,
    label(percentText(handOut, ram), 0, y - 4, 'bold'),
  ];
}

const shareOf = (part: bigint, whole: bigint): number =>
  whole === 0n ? 0 : Number((part * 1_000_000n) / whole) / 1_000_000;
