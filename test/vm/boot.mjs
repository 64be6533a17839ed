// One boot that runs by itself: what the machine says on its second serial port, line by line.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';

import { machineCommand } from './machine.mjs';

/**
 * @param {{ directory: string, payload: string, programs: string }} root
 * @param {{ name: string, kernel: () => string, append: string }} scenario
 * @param {{ append: string, line: (text: string) => void }} options `line` is given what is not for this file
 * @returns {Promise<{ code: number | undefined, log: readonly string[], console: string, out: string }>} the exit code of
 * what it ran, the daemon's log, the kernel's console, and the directory with the files that it brought back
 * @throws {Error} when it was interrupted
 */
export async function boot(root, scenario, { append, line }) {
  const place = join(root.directory, scenario.name);
  const out = join(place, 'out');
  mkdirSync(out, { recursive: true });
  const console = join(place, 'console');
  const serial = ['-serial', `file:${console}`, '-serial', 'stdio'];
  // Of its own, because another may run beside it.
  const made = join(place, 'made');
  mkdirSync(made);
  const own = { ...root, directory: made };
  const [command, ...args] = machineCommand(own, scenario, { append, serial, limited: true });
  const log = [];
  let code;
  const take = (text) => {
    const [word] = text.split(' ', 1);
    const rest = text.slice(word.length + 1);
    if (word === 'log') log.push(rest);
    else if (word === 'exit') code = Number(rest);
    else if (word === 'file') keep(out, rest);
    else line(text);
  };
  const machine = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(machine, 'close');
  const interrupted = await endingWith(machine, async () => {
    for await (const text of createInterface(machine.stdout)) take(text.trimEnd());
    await closed;
  });
  // Hundreds of megabytes.
  rmSync(made, { recursive: true });
  if (interrupted) throw new Error('interrupted');
  return { code, log, console: readFileSync(console, 'utf8'), out };
}

/** The machine is in a process group of its own, where a terminal's Ctrl-C does not reach. */
async function endingWith(machine, use) {
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    machine.kill();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, interrupt);
  try {
    await use();
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
  return interrupted;
}

/** A file comes as its name and its bytes in base64. */
function keep(out, text) {
  const [name, bytes] = text.split(' ');
  writeFileSync(join(out, basename(name)), Buffer.from(bytes, 'base64'));
}
