import { open } from 'node:fs/promises';
import { codeOf, findFilesIn, findPolicyFiles } from './files.js';
import type { FoundFiles, PolicyPath, PolicyPlaces } from './files.js';
import { mergePolicy } from './merge.js';
import { parsePolicyFile } from './parse.js';
import type { PolicyFile } from './parse.js';
import type { Policy } from './policy.js';
import type { PolicyProblem } from './problem.js';

/** Bytes that a policy file may have, far beyond any real one. */
export const MAX_FILE_BYTES = 4 * 2 ** 20;

/**
 * Reads the policy of a machine. Never rejects for what the files are or say: what does not count is among the
 * policy's warnings, and what no file says is built in.
 */
export const loadPolicy = async (places: PolicyPlaces): Promise<Policy> =>
  readPolicy(await findPolicyFiles(places));

/** Reads the policy of one directory and no other, in the same way. */
export const loadPolicyIn = async (directory: string): Promise<Policy> =>
  readPolicy(await findFilesIn(directory));

async function readPolicy(found: FoundFiles): Promise<Policy> {
  const files: PolicyFile[] = [];
  const problems = [...found.problems];
  for (const path of found.files) {
    const read = await readPolicyFile(path);
    if ('kind' in read) problems.push(read);
    else files.push(parsePolicyFile(path.name, read));
  }
  return mergePolicy(files, problems);
}

/** Its bytes, or why there are none. */
async function readPolicyFile({ name, path }: PolicyPath): Promise<Uint8Array | PolicyProblem> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > MAX_FILE_BYTES) {
      return { kind: 'file-too-large', file: name, text: `larger than ${MAX_FILE_BYTES} bytes, ignored` };
    }
    return await file.readFile();
  } catch (error) {
    return { kind: 'unreadable', file: name, text: `cannot be read (${codeOf(error)}), ignored` };
  }
}
