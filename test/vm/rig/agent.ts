import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { until } from './daemon.js';
import { brokerCall } from './people.js';
import { endOf, run, textOf, type Ended, type Person } from './run.js';

/** A call for which polkit may ask a person. */
export interface Asked extends Ended {
  /** What the person saw on the terminal. */
  readonly dialogue: string;
}

/**
 * Calls the broker as somebody with a terminal where polkit's own agent runs, and answers that with a password.
 * The calling process waits until the agent is there for it, and then becomes the call.
 */
export async function callAsking(
  who: Person,
  password: string,
  member: string,
  ...args: readonly string[]
): Promise<Asked> {
  const directory = mkdtempSync(join(tmpdir(), 'agent-'));
  const ready = join(directory, 'ready');
  chmodSync(directory, 0o711);
  await run('mkfifo', ['--mode=666', ready]);
  const call = spawn('sh', ['-c', 'read -r go && exec busctl "$@"', 'sh', ...brokerCall(member, ...args)], {
    ...who,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = Promise.all([textOf(call.stdout), textOf(call.stderr), endOf(call)]);
  // The agent asks on a terminal alone, and closes the descriptor when it is there for the process.
  const command = `tty; exec pkttyagent --process ${call.pid} --notify-fd 3 3>${ready}`;
  const agent = spawn('script', ['--quiet', '--flush', '--command', command, '/dev/null'], {
    ...who,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let dialogue = '';
  agent.stdout.on('data', (chunk: Buffer) => (dialogue += chunk.toString()));
  try {
    await run('cat', [ready]);
    call.stdin.end('go\n');
    await until('the agent asks', async () =>
      dialogue.includes('Password:') && (await isSilent(dialogue)) ? true : undefined,
    );
    agent.stdin.write(`${password}\n`);
    const [out, complaints, code] = await ended;
    return { code, out, complaints, dialogue };
  } finally {
    call.kill();
    agent.kill();
    rmSync(directory, { recursive: true });
  }
}

/**
 * Whether a terminal, which the dialogue begins with, does not show what is typed. The agent asks first and turns that off
 * then, and throws away whatever was typed before (tcsetattr(3), TCSAFLUSH).
 */
async function isSilent(dialogue: string): Promise<boolean> {
  const [terminal = ''] = dialogue.split(/\s/, 1);
  return (await run('stty', ['-F', terminal, '-a'])).out.includes(' -echo ');
}
