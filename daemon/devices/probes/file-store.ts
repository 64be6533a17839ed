import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { KernelFiles } from '../sysfs.js';
import { NOTHING_KNOWN, type ProbeRecord, type ProbeStore } from './probe-record.js';
import { parseRecord, printRecord } from './store-schema.js';
import type { WarningLog } from '../../base/log.js';

const FILE_NAME = 'trials.json';
/** Bytes: a thousand pairs of devices and heaps, and little enough to read at every start. */
const MAX_FILE_BYTES = 512 * 1024;

/** Keeps trials in one file of the state directory. It is no more than a saving of time: any fault of it is a warning. */
export class FileProbeStore implements ProbeStore {
  readonly #directory: string;
  readonly #log: WarningLog;

  constructor(directory: string, log: WarningLog) {
    this.#directory = directory;
    this.#log = log;
  }

  async read(machine: string): Promise<ProbeRecord> {
    const file = join(this.#directory, FILE_NAME);
    const files = new KernelFiles(this.#directory, (text) => {
      this.#log.warn(
        { event: 'trials-unreadable', file },
        `the recorded results of probes cannot be used: ${text}`,
      );
    });
    const text = await files.text(`/${FILE_NAME}`, MAX_FILE_BYTES);
    if (text === undefined) return NOTHING_KNOWN;
    const read = parseRecord(text);
    if ('problem' in read) files.warn(`/${FILE_NAME}`, read.problem);
    return 'record' in read && read.machine === machine ? read.record : NOTHING_KNOWN;
  }

  async write(machine: string, record: ProbeRecord): Promise<void> {
    const file = join(this.#directory, FILE_NAME);
    try {
      await mkdir(this.#directory, { recursive: true });
      await replace(this.#directory, file, printRecord(machine, record, MAX_FILE_BYTES));
    } catch (err) {
      this.#log.warn(
        { event: 'trials-unkept', err, file },
        'the results of probes cannot be saved: the next start probes again',
      );
    }
  }
}

/** The old file or the new one stands there at any moment, whole, also after a loss of power. */
async function replace(directory: string, file: string, text: string): Promise<void> {
  const next = `${file}.new`;
  // Left by a start that was cut short; and a link in its place must not lead what is written elsewhere.
  await rm(next, { force: true });
  try {
    await saved(next, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, text);
    await rename(next, file);
  } finally {
    await rm(next, { force: true });
  }
  await saved(directory, constants.O_RDONLY);
}

/** Writes what there is to write, and waits until it is on the disk. */
async function saved(path: string, flags: number, text?: string): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    if (text !== undefined) await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
