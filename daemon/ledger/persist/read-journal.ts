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
 * What an earlier start of this boot left behind. What cannot be read, is not one of ours, or was changed by something
 * else is set aside; of a damaged one counts what can be read. Files of another boot say nothing and are removed. Whatever
 * lies in the directory, this ends, and what is wrong with it is in the log.
 */
export function readJournal(files: StateFiles, boot: string, log: WarningLog): Replay {
  const replay = new Replay();
  for (const number of numbersOf(files, log)) {
    const read = readFile(files, number, boot);
    if (read === 'other boot') {
      removeOld(files, number, log);
      continue;
    }
    for (const record of read.records) replay.apply(record);
    if (read.problem !== undefined) setAside(files, number, read.problem, log);
  }
  return replay;
}

function numbersOf(files: StateFiles, log: WarningLog): readonly number[] {
  try {
    return files.list();
  } catch (err) {
    log.warn({ event: 'state-damaged', err }, 'the state directory cannot be listed');
    return [];
  }
}

function readFile(files: StateFiles, number: number, boot: string): ReadFile | 'other boot' {
  try {
    const { text, whole } = files.read(number);
    const read = parseFile(text, boot);
    if (whole || read === 'other boot' || read.problem !== undefined) return read;
    return {
      ...read,
      problem: { kind: 'damaged', text: 'it is larger than any ledger, and only its start was read' },
    };
  } catch (error) {
    const text = `it cannot be read (${error instanceof Error ? error.message : String(error)})`;
    return { records: [], problem: { kind: 'unreadable', text } };
  }
}

function removeOld(files: StateFiles, number: number, log: WarningLog): void {
  try {
    files.remove(number);
  } catch (err) {
    log.warn({ event: 'state-left-over', err }, 'an old state file cannot be removed');
  }
}

function setAside(files: StateFiles, number: number, { kind, text }: Problem, log: WarningLog): void {
  let file = files.path(number);
  let outcome = 'it is set aside';
  try {
    file = files.setAside(number);
  } catch {
    outcome = 'and it cannot be set aside';
  }
  log.warn(
    { event: 'state-damaged', file, problem: kind },
    `what the last start of the daemon knew cannot be used as it is: ${text}; ${outcome}`,
  );
}

interface ReadFile {
  readonly records: readonly StateRecord[];
  readonly problem?: Problem;
}

/** Why a file is set aside. */
interface Problem {
  readonly kind: 'foreign' | 'other-version' | 'damaged' | 'unreadable';
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
  const parsed = blocks.map(recordsOf);
  // Lines behind a damaged header are whole by their own checksums; descriptors of another boot are not there to fit them.
  const isReadable = known !== FOREIGN || parsed.some((block) => block !== undefined);
  if ('kind' in known && !(known === FOREIGN && isReadable)) return { records: [], problem: known };
  if ('boot' in known && known.boot !== boot) return 'other boot';
  const records = parsed.flatMap((block) => block ?? []);
  const damaged = parsed.filter((block) => block === undefined).length + (known === FOREIGN ? 1 : 0);
  return damaged === 0
    ? { records }
    : { records, problem: { kind: 'damaged', text: `${damaged} of ${lines.length} lines are damaged` } };
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
