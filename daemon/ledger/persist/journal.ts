import type { WarningLog } from '../../base/log.js';
import type { Later } from '../../base/time.js';
import { printBlock } from './block.js';
import { encodeRecord } from './codec.js';
import { fileHeader } from './read-journal.js';
import type { StateRecord } from './journal-record.js';
import type { StateFile, StateFiles } from './state-files.js';

export interface JournalOptions {
  readonly files: StateFiles;
  /** Id of this run of the kernel. */
  readonly boot: string;
  readonly later: Later;
  readonly log: WarningLog;
  /** Everything that stands now, in parts that are each true at the moment when they are taken. */
  readonly currentRecords: () => Iterable<readonly StateRecord[]>;
}

/** Characters at which a file is begun anew at the earliest, and as many times as what stood when it was begun. */
const MIN_FILE_CHARS = 256 * 1024;
const GROWTH_FACTOR = 4;
/** Parts of what stands that are written in one go, which takes far less than the 2 ms that an event loop may be held up. */
const RECORDS_PER_SLICE = 32;
/** Milliseconds between two slices, and until a disk that failed is tried again. */
const SLICE_PAUSE_MS = 5;
const RETRY_DELAY_MS = 10_000;

/**
 * Writes down what happens, at the end of a file. When that has grown, a second file is begun: what happens goes there,
 * and what stands is written there bit by bit; then the first is not needed any more. What one record costs does not
 * depend on how much stands.
 */
export class Journal {
  readonly #options: JournalOptions;
  #pending: StateRecord[] = [];
  #file: StateFile | undefined;
  /** It has all that stood when it was begun. */
  #isWhole = false;
  #written = 0;
  #limit = MIN_FILE_CHARS;
  /** What is still to be written of what stands. */
  #copying: Iterator<readonly StateRecord[]> | undefined;
  #soon: NodeJS.Immediate | undefined;
  #timer: Disposable | undefined;
  #failing = false;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Begins a file with everything that stands, and removes those of earlier starts. */
  begin(): void {
    this.#rotate();
    while (this.#copying !== undefined) this.#copy();
  }

  /** Takes a record; it is written with the next `flush`, and in any case soon. */
  add(record: StateRecord): void {
    if (this.#closed) return;
    this.#pending.push(record);
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.flush();
    });
  }

  /** Writes what was taken. A disk that fails is told of once, and tried again later. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const records = this.#pending;
    this.#pending = [];
    this.#write(records);
    if (this.#written > this.#limit && this.#copying === undefined) this.#rotate();
  }

  /** Writes what was taken, and nothing more. */
  close(): void {
    this.flush();
    this.#closed = true;
    if (this.#soon !== undefined) clearImmediate(this.#soon);
    this.#timer?.[Symbol.dispose]();
    this.#file?.close();
    this.#file = undefined;
  }

  #write(records: readonly StateRecord[]): void {
    if (this.#file === undefined) return;
    const text = printBlock(records.map(encodeRecord));
    try {
      this.#file.append(text);
      this.#written += text.length;
    } catch (err) {
      this.#failed(err);
    }
  }

  #rotate(): void {
    if (this.#closed) return;
    const { files, boot, currentRecords } = this.#options;
    try {
      const last = files.list().at(-1) ?? 0;
      const next = files.create(last + 1);
      this.#file?.close();
      this.#file = next;
      this.#isWhole = false;
      const header = fileHeader(boot);
      next.append(header);
      this.#written = header.length;
      this.#copying = currentRecords()[Symbol.iterator]();
      this.#copyLater(SLICE_PAUSE_MS);
    } catch (err) {
      this.#failed(err);
    }
  }

  #copyLater(milliseconds: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#options.later(milliseconds, () => {
      this.#timer = undefined;
      if (this.#file === undefined) this.#rotate();
      else this.#copy();
    });
  }

  #copy(): void {
    const records: StateRecord[] = [];
    let isDone = this.#copying === undefined;
    for (let parts = 0; parts < RECORDS_PER_SLICE && !isDone; parts += 1) {
      const part = this.#copying?.next();
      if (part?.done === false) records.push(...part.value);
      else isDone = true;
    }
    // What was taken before speaks of a time before these.
    this.flush();
    if (records.length > 0) this.#write(records);
    if (this.#file === undefined) return;
    if (isDone) this.#copied(this.#file);
    else this.#copyLater(SLICE_PAUSE_MS);
  }

  #copied({ number: current }: StateFile): void {
    this.#copying = undefined;
    this.#isWhole = true;
    this.#failing = false;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#limit = Math.max(MIN_FILE_CHARS, GROWTH_FACTOR * this.#written);
    const { files } = this.#options;
    try {
      for (const number of files.list()) if (number < current) files.remove(number);
    } catch (err) {
      this.#options.log.warn({ event: 'state-left-over', err }, 'an old state file cannot be removed');
    }
  }

  /**
   * The files say less than what happened, and are kept all the same: what they say of buffers is compared with what the
   * kernel says, and one that is gone or another's by then does not fit. They go when all that stands is written again.
   */
  #failed(err: unknown): void {
    const { files, log } = this.#options;
    if (!this.#failing)
      log.warn(
        { event: 'state-unwritable', err },
        'what is handed out cannot be written down: it will not outlive the daemon until this works again',
      );
    this.#failing = true;
    this.#copying = undefined;
    try {
      this.#file?.close();
      // Of those that were begun and never had everything, there would else be one more with every try.
      if (this.#file !== undefined && !this.#isWhole && files.list().length > 1)
        files.remove(this.#file.number);
    } catch {
      // Told already.
    }
    this.#file = undefined;
    this.#copyLater(RETRY_DELAY_MS);
  }
}
