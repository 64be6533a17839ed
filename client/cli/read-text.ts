import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { UsageError } from './usage.js';

/** Bytes of the largest file that a verb reads whole. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'you may not read it',
  EISDIR: 'it is a directory',
};

/** A file that a person names, as text. @throws {UsageError} with the name and the reason */
export async function readText(file: string): Promise<string> {
  try {
    // O_NONBLOCK: a FIFO without a writer must not make anyone wait.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await handle.stat();
    if (status.isDirectory()) throw new UsageError(`${file}: it is a directory`);
    if (status.size > MAX_FILE_BYTES) throw new UsageError(`${file}: larger than ${MAX_FILE_BYTES} bytes`);
    return await handle.readFile('utf8');
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    throw new UsageError(`${file}: ${REASONS[code] ?? `cannot be read (${code})`}`, { cause });
  }
}
