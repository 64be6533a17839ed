import { element, escapeXml, label } from '../../client/cli/svg.js';
import { counted, endText, rise, type Curve } from './curve.js';
import { times } from './figures.js';

/** Pixels. */
const WIDTH = 460;
const HEIGHT = 240;
const LEFT = 56;
const RIGHT = 28;
const HEAD = 104;
const FOOT = 56;
const PANEL = { width: LEFT + WIDTH + RIGHT, height: HEAD + HEIGHT + FOOT };
const IN_A_ROW = 2;
const TITLE = 74;
const MARGIN = 16;
const LINE = 18;

/** Ratios on the axis go in such steps, up to a whole one above all that is drawn. */
const STEP = 0.5;
/** Room above what is highest, for its label, as a share of it. */
const ABOVE = 1.1;
/** A size's label is left out where the one before is as near as this share of the axis. */
const NEAR = 0.1;

/** They differ in brightness too, on white and on black. */
const COLOURS = ['#4477aa', '#ee8866'];
const FLOOR_COLOUR = '#999999';

const STYLE = `
text { font-family: sans-serif; font-size: 12px; fill: #1a1a1a; }
.paper { fill: #ffffff; }
.title { font-size: 18px; font-weight: bold; }
.bold { font-size: 14px; font-weight: bold; }
.dim { fill: #5f5f5f; }
.bad { fill: #b00020; }
.good { fill: #1b6e3c; }
.axis { stroke: #8a8a8a; }
.grid { stroke: #e4e4e4; }
.beyond { fill: #f2f2f2; }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
@media (prefers-color-scheme: dark) {
  text { fill: #ececec; }
  .paper { fill: #16181c; }
  .dim { fill: #a8a8a8; }
  .bad { fill: #ff8a80; }
  .good { fill: #7fd6a0; }
  .axis { stroke: #7a7a7a; }
  .grid { stroke: #33373e; }
  .beyond { fill: #23262c; }
}`;

/** Draws a panel for each thing that there is more and more of, with its curves. @param origin where and when, in a line */
export function drawCurves(curves: readonly Curve[], origin: string): string {
  const panels = [...new Set(curves.map(({ of }) => of))];
  const width = IN_A_ROW * PANEL.width + 2 * MARGIN;
  const height = TITLE + Math.ceil(panels.length / IN_A_ROW) * PANEL.height + MARGIN;
  return `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' },
    [
      element('title', {}, ['What a request costs while there is more of everything']),
      element('style', {}, [STYLE]),
      element('rect', { class: 'paper', x: 0, y: 0, width, height }),
      label('What a request costs while there is more of everything', MARGIN + LEFT, 32, 'title'),
      label(
        'As a multiple of the first point, taken in turns with it; medians. Flat is good.',
        MARGIN + LEFT,
        52,
      ),
      label(origin, MARGIN + LEFT, 70, 'dim'),
      ...panels.map((of, index) => {
        const x = MARGIN + (index % IN_A_ROW) * PANEL.width + LEFT;
        const y = TITLE + Math.floor(index / IN_A_ROW) * PANEL.height + HEAD;
        return element(
          'g',
          { transform: `translate(${x} ${y})` },
          panel(
            of,
            curves.filter((curve) => curve.of === of),
          ),
        );
      }),
    ],
  )}\n`;
}

/** Pixels from the panel's upper left corner. */
interface Scales {
  readonly x: (size: number) => number;
  readonly y: (ratio: number) => number;
}

function panel(of: string, curves: readonly Curve[]): readonly string[] {
  const sizes = [...new Set(curves.flatMap(sizesOf))].toSorted((a, b) => a - b);
  const highest = Math.max(...curves.flatMap((curve) => [...targetOf(curve), ...curve.points.map(ratioOf)]));
  const top = STEP * Math.ceil((highest * ABOVE) / STEP);
  const [from = 1, to = from] = [sizes[0], sizes.at(-1)];
  const scales: Scales = {
    x: (size) => (from === to ? WIDTH / 2 : (Math.log(size / from) / Math.log(to / from)) * WIDTH),
    y: (ratio) => HEIGHT * (1 - ratio / top),
  };
  return [
    label(`By ${of}`, 0, -HEAD + 34, 'bold'),
    ...curves.flatMap((curve, index) => legend(curve, index)),
    ...curves.flatMap((curve) => beyond(curve, scales)),
    ...horizontal(top, scales),
    ...vertical(of, sizes, scales),
    ...curves.flatMap((curve, index) => drawn(curve, index, scales, curves)),
  ];
}

const targetOf = ({ target }: Curve): readonly number[] => (target === 'floor' ? [] : [target]);
const ratioOf = ({ ratio }: { readonly ratio: number }): number => ratio;
const sizesOf = ({ points, end }: Curve): readonly number[] => [
  ...points.map(({ size }) => size),
  ...(end === undefined ? [] : [end.meant]),
];
const colourOf = ({ target }: Curve, index: number): string =>
  (target === 'floor' ? undefined : COLOURS[index % COLOURS.length]) ?? FLOOR_COLOUR;

/** A curve's name, and beside it whether it is as flat as it should be. */
function legend(curve: Curve, index: number): readonly string[] {
  const { name, target } = curve;
  const y = -HEAD + 34 + LINE * (index + 1);
  const ratio = rise(curve);
  const told = target === 'floor' ? target : `target ${times(target)}`;
  const style = target === 'floor' ? 'dim' : ratio <= target ? 'good' : 'bad';
  return [
    element('circle', { cx: 5, cy: y - 4, r: 5, fill: colourOf(curve, index) }),
    label(name, 18, y),
    label(`last / first ${times(ratio)}, ${told}`, WIDTH, y, `${style} end`),
  ];
}

/** What was not measured lies in the shade. */
function beyond(curve: Curve, { x }: Scales): readonly string[] {
  const { points, end } = curve;
  const last = points.at(-1);
  if (end === undefined || last === undefined) return [];
  const [left, right] = [x(last.size), x(end.meant)];
  return [
    element('rect', { class: 'beyond', x: left, y: 0, width: right - left, height: HEIGHT }),
    label(endText(curve) ?? '', WIDTH, HEIGHT - 8, 'dim end'),
  ];
}

function horizontal(top: number, { y }: Scales): readonly string[] {
  const marks = Array.from({ length: Math.round(top / STEP) + 1 }, (_, index) => index * STEP);
  return [
    ...marks.flatMap((ratio) => [
      element('line', {
        class: ratio === 0 ? 'axis' : 'grid',
        x1: 0,
        x2: WIDTH,
        y1: y(ratio),
        y2: y(ratio),
      }),
      label(`${ratio.toFixed(1)}×`, -8, y(ratio) + 4, 'dim end'),
    ]),
    element('text', { class: 'dim middle', transform: `translate(-44 ${HEIGHT / 2}) rotate(-90)` }, [
      'cost, × the first point',
    ]),
  ];
}

function vertical(of: string, sizes: readonly number[], { x }: Scales): readonly string[] {
  let before = -Infinity;
  return [
    ...sizes.flatMap((size, index) => {
      const at = x(size);
      // The last one is always told.
      const isNear = at - before < NEAR * WIDTH;
      const isCrowded = index < sizes.length - 1 && WIDTH - at < NEAR * WIDTH;
      const mark = element('line', { class: 'axis', x1: at, x2: at, y1: HEIGHT, y2: HEIGHT + 4 });
      if (isNear || isCrowded) return [mark];
      before = at;
      return [mark, label(counted(size), at, HEIGHT + 18, 'dim middle')];
    }),
    label(`number of ${of}, logarithmic`, WIDTH / 2, HEIGHT + 38, 'dim middle'),
  ];
}

/**
 * The curve, its target as a broken line, and each point's ratio: above where no curve is higher, below otherwise. A
 * floor has neither.
 */
function drawn(curve: Curve, index: number, { x, y }: Scales, all: readonly Curve[]): readonly string[] {
  const { points, target, of } = curve;
  const stroke = colourOf(curve, index);
  const way = points.map(({ size, ratio }) => `${x(size).toFixed(1)},${y(ratio).toFixed(1)}`).join(' ');
  return [
    ...targetOf(curve).map((ratio) =>
      element('line', {
        x1: 0,
        x2: WIDTH,
        y1: y(ratio),
        y2: y(ratio),
        stroke,
        'stroke-dasharray': '2 4',
      }),
    ),
    element('polyline', { points: way, fill: 'none', stroke, 'stroke-width': 2 }),
    ...points.flatMap(({ size, median, ratio }) => [
      element('circle', { cx: x(size), cy: y(ratio), r: 4, fill: stroke }, [
        element('title', {}, [escapeXml(`${counted(size)} ${of}: ${times(ratio)}, ${median.toFixed(1)} µs`)]),
      ]),
      ...(target === 'floor'
        ? []
        : [
            label(ratio.toFixed(2), x(size), y(ratio) + (ratio >= highestAt(size, all) ? -10 : 20), 'middle'),
          ]),
    ]),
  ];
}

const highestAt = (size: number, curves: readonly Curve[]): number =>
  Math.max(
    ...curves.flatMap(({ target, points }) =>
      target === 'floor' ? [] : points.filter((point) => point.size === size).map(ratioOf),
    ),
  );
