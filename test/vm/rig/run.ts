import { spawn, type ChildProcess } from 'node:child_process';

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly complaints: string;
}

/** A user of the machine. */
export interface Person {
  readonly uid: number;
  readonly gid: number;
}

/** Runs a program to its end, as somebody or as root. */
export async function run(program: string, args: readonly string[], person?: Person): Promise<Ended> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(person && { uid: person.uid, gid: person.gid }),
  });
  const [out, complaints, code] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    endOf(child),
  ]);
  return { code, out, complaints };
}

/** @throws {Error} when it could not be started */
export const endOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });

export async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
