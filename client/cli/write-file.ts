import { writeFile } from 'node:fs/promises';

import { UsageError } from './usage.js';

/** Writes what a verb made where the person said. @throws {UsageError} when it cannot be written there */
export async function writeTo(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : `${file} cannot be written`, { cause });
  }
}
