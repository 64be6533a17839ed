import type { V4l2Queue } from '../../kernel/v4l2.js';
import { atLine, linesOf, plainName, requireFewer, type DumpLine } from './dump-lines.js';
import { DUMP_LIMITS, type DumpText, type FormatDump, type VideoDump } from './dump-types.js';

/**
 * Shapes of the lines that v4l2-ctl prints for --all, --list-formats-ext and --list-formats-out-ext (v4l2-ctl.cpp and
 * v4l2-info.cpp of v4l-utils; the third one of a format before and since 1.18), tabs perhaps made spaces.
 */
const SHAPES = {
  driverInfo: /^Driver Info\b.*:\s*$/,
  /** A heading of anything else begins at the margin. */
  heading: /^[A-Za-z][^:]*:/,
  pair: /^\s+([A-Z][A-Za-z ]*?)\s*: (.*)$/,
  queue: /^\s+Type\s*: (Video (?:Capture|Output)(?: Multiplanar)?)\s*$/,
  set: /^Format (Video Output(?: Multiplanar)?):/,
  setFormat: /^\s+Pixel Format\s*: '([ -~]{4})'/,
  format: /^\s+\[\d+\]: '([ -~]{4,8})' \((.*)\)\s*$/,
  oldFormat: /^\s+Pixel Format\s*: '([ -~]{4,8})'(.*)$/,
  discrete: /^\s+Size: Discrete (\d+)x(\d+)\s*$/,
  range: /^\s+Size: (?:Stepwise|Continuous) \d+x\d+ - (\d+)x(\d+)/,
} as const;

/** Lines that shells and people put above a node's output. */
const NODE_LINES: readonly RegExp[] = [
  /^\W*(?:DEVICE:?\s*)?(\/dev\/video\d{1,3})\W*$/,
  /\bv4l2-ctl\b.*(?:-d|--device)[ =]?(\/dev\/video\d{1,3}|\d{1,3})\b/,
];

const QUEUES: Readonly<Record<string, V4l2Queue>> = {
  'Video Capture': 'capture',
  'Video Output': 'output',
  'Video Capture Multiplanar': 'capture-mplane',
  'Video Output Multiplanar': 'output-mplane',
};

/** Whether a text has the output of `v4l2-ctl --all` in it. */
export const isV4l2Ctl = (text: string): boolean => /^(\/dev\/video\d+ \| )?Driver Info\b/m.test(text);

interface Draft {
  readonly line: number;
  readonly node: string | undefined;
  readonly pairs: Map<string, string>;
  readonly queues: Map<V4l2Queue, FormatDump[]>;
  outputFormat?: string;
}

/** Reads what `v4l2-ctl` prints, of one node or of several one after the other. @throws {DumpError} */
export function readV4l2Ctl(dump: DumpText): readonly VideoDump[] {
  const reader = new V4l2CtlReader(dump);
  for (const line of linesOf(dump)) reader.read(line);
  return reader.videos();
}

class V4l2CtlReader {
  readonly #dump: DumpText;
  readonly #drafts: Draft[] = [];
  /** The node that a line above names, for the output that follows. */
  #node: string | undefined;
  #section: 'driver' | 'set' | 'other' = 'other';
  #queue: V4l2Queue | undefined;
  #format: FormatDump | undefined;

  constructor(dump: DumpText) {
    this.#dump = dump;
  }

  read({ text, number }: DumpLine): void {
    this.#node = nodeIn(text) ?? this.#node;
    if (SHAPES.driverInfo.test(text)) {
      requireFewer(this.#dump, number, this.#drafts.length, DUMP_LIMITS.videos, 'video nodes');
      this.#drafts.push({ line: number, node: this.#node, pairs: new Map(), queues: new Map() });
      [this.#node, this.#section, this.#queue] = [undefined, 'driver', undefined];
      return;
    }
    const draft = this.#drafts.at(-1);
    if (draft === undefined) return;
    if (SHAPES.heading.test(text)) {
      this.#section = SHAPES.set.test(text) ? 'set' : 'other';
      this.#queue = undefined;
    } else if (this.#section === 'driver') readPair(draft, text);
    else if (this.#section === 'set') draft.outputFormat ??= SHAPES.setFormat.exec(text)?.[1] ?? '';
    else this.#readList(draft, { text, number });
    if (draft.outputFormat === '') delete draft.outputFormat;
  }

  videos(): readonly VideoDump[] {
    return this.#drafts.map(({ line, node, pairs, queues, outputFormat }) => {
      const bits = pairs.get('Device Caps') ?? pairs.get('Capabilities');
      const capabilities = /^0x([0-9a-f]{1,8})$/i.test(bits ?? '') ? Number(bits) : undefined;
      if (capabilities === undefined)
        throw atLine(this.#dump, line, 'this driver info has no capabilities such as 0x04200001');
      const kernel = pairs.get('Driver version');
      return {
        ...(node !== undefined && { node }),
        driver: plainName(pairs.get('Driver name') ?? 'unknown'),
        card: plainName(pairs.get('Card type') ?? 'unknown'),
        capabilities,
        queues,
        ...(outputFormat !== undefined && { outputFormat }),
        ...(kernel !== undefined && { kernel: plainName(kernel) }),
      };
    });
  }

  #readList(draft: Draft, line: DumpLine): void {
    const { text } = line;
    const queue = QUEUES[SHAPES.queue.exec(text)?.[1] ?? ''];
    if (queue !== undefined) {
      this.#queue = queue;
      this.#format = undefined;
      if (!draft.queues.has(queue)) draft.queues.set(queue, []);
      return;
    }
    const formats = this.#queue === undefined ? undefined : draft.queues.get(this.#queue);
    if (formats === undefined) return;
    const [, fourcc, description = ''] = SHAPES.format.exec(text) ?? SHAPES.oldFormat.exec(text) ?? [];
    if (fourcc !== undefined) {
      requireFewer(this.#dump, line.number, formats.length, DUMP_LIMITS.entries, 'formats');
      const compressed = /\bcompressed\b/.test(description);
      this.#format = { fourcc, description: plainName(description), compressed, sizes: [] };
      formats.push(this.#format);
    } else if (this.#format !== undefined) this.#readSize(formats, this.#format, line);
  }

  #readSize(formats: FormatDump[], format: FormatDump, { text, number }: DumpLine): void {
    const [, width, height] = SHAPES.discrete.exec(text) ?? [];
    const [, most, highest] = SHAPES.range.exec(text) ?? [];
    if (width === undefined && most === undefined) return;
    requireFewer(this.#dump, number, format.sizes.length, DUMP_LIMITS.entries, 'sizes of one format');
    this.#format =
      width === undefined
        ? { ...format, largest: { width: Number(most), height: Number(highest) } }
        : { ...format, sizes: [...format.sizes, { width: Number(width), height: Number(height) }] };
    formats[formats.length - 1] = this.#format;
  }
}

function readPair({ pairs }: Draft, text: string): void {
  const [, key, value] = SHAPES.pair.exec(text) ?? [];
  if (key !== undefined && value !== undefined && !pairs.has(key)) pairs.set(key, value.trim());
}

function nodeIn(text: string): string | undefined {
  for (const shape of NODE_LINES) {
    const node = shape.exec(text)?.[1];
    if (node !== undefined) return node.startsWith('/') ? node : `/dev/video${node}`;
  }
  return undefined;
}
