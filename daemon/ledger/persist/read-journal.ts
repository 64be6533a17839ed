import type { WarningLog } from '../../base/log.js';
import { parseBlock, printBlock } from './block.js';
import { decodeRecord } from './codec.js';
import { Replay } from './replay.js';
import type { StateRecord } from './journal-record.js';
import { Shape, ShapeError } from './json-shape.js';
import type { StateFiles } from './state-files.js';

const FORMAT = 'dmabroker-ledger';
/** Version of this way of writing. A later one that cannot be read as this has another. */
const VERSION = 1;

/** The first line of a state file. @param boot id of this run of the kernel: with another, all buffers are other ones */
export const fileHeader = (boot: string): string => printBlock([FORMAT, VERSION, boot]);

/**
 * What an earlier start of this boot left behind. A file that is not one of ours, or that was changed by something else,
 * is set aside; of a damaged one counts what can be read. Files of another boot say nothing and are removed.
 * @throws {Error} of node:fs
 */
export function readJournal(files: StateFiles, boot: string, log: WarningLog): Replay {
  const replay = new Replay();
  for (const number of files.list()) {
    const read = parseFile(files.read(number), boot);
    if (read === 'other boot') {
      files.remove(number);
      continue;
    }
    for (const record of read.records) replay.apply(record);
    if (read.problem === undefined) continue;
    const file = files.setAside(number);
    log.warn(
      { event: 'state-damaged', file, problem: read.problem.kind },
      `what the last start of the daemon knew cannot be used as it is: ${read.problem.text}; it is set aside`,
    );
  }
  return replay;
}

interface ReadFile {
  readonly records: readonly StateRecord[];
  readonly problem?: Problem;
}

/** Why a file is set aside. */
interface Problem {
  readonly kind: 'foreign' | 'other-version' | 'damaged';
  readonly text: string;
}

function parseFile(text: string, boot: string): ReadFile | 'other boot' {
  const lines = text.split('\n');
  // What has no end was being written when the daemon died, and nothing had come of it yet.
  lines.pop();
  const [header, ...blocks] = lines;
  // A daemon that died before its first line was written.
  if (header === undefined) return { records: [] };
  const known = headerOf(header);
  if ('kind' in known) return { records: [], problem: known };
  if (known.boot !== boot) return 'other boot';
  const parsed = blocks.map(recordsOf);
  const records = parsed.flatMap((block) => block ?? []);
  const damaged = parsed.filter((block) => block === undefined).length;
  return damaged === 0
    ? { records }
    : { records, problem: { kind: 'damaged', text: `${damaged} of ${blocks.length} lines are damaged` } };
}

const FOREIGN: Problem = { kind: 'foreign', text: 'it is no ledger' };

function headerOf(line: string): { readonly boot: string } | Problem {
  try {
    const [format, version, boot] = new Shape(parseBlock(line)?.value).list();
    if (format?.text() !== FORMAT || version === undefined || boot === undefined) return FOREIGN;
    if (version.count() !== VERSION) {
      const text = `it is of another version of dmabroker (${version.count()}, not ${VERSION})`;
      return { kind: 'other-version', text };
    }
    return { boot: boot.text() };
  } catch (error) {
    if (error instanceof ShapeError) return FOREIGN;
    throw error;
  }
}

function recordsOf(line: string): readonly StateRecord[] | undefined {
  const block = parseBlock(line);
  if (block === undefined) return undefined;
  try {
    return new Shape(block.value).list().map(decodeRecord);
  } catch (error) {
    if (error instanceof ShapeError) return undefined;
    throw error;
  }
}
