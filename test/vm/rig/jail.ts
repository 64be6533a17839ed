import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { run, type Person } from './run.js';

/** What the jail's program tries its hands on. */
export interface JailOptions {
  /** A node that everybody may open. */
  readonly device: string;
  /** That everybody may write to. */
  readonly directories: readonly string[];
  /** The service's own directory. */
  readonly own: string;
  /** A process of the same user. */
  readonly sibling: number;
}

/** `done` or an errno, by what was tried. */
export type JailReport = Readonly<Record<string, string>>;

const PROGRAM = [process.execPath, fileURLToPath(new URL('jail-program.js', import.meta.url))] as const;
const NAME = 'dmabroker-jail';
const RUNTIME = '/run/systemd/system';
/** Lines of the daemon's unit that are about its work and not about what it may do. */
const ITS_WORK = /^(Type|BusName|ExecStart|ExecReload|Restart|RestartSec|WatchdogSec|NotifyAccess)=/;

/** Runs the program as the unit runs the daemon: every other line of the unit holds for it. */
export async function tryInside(unit: string, options: JailOptions): Promise<JailReport> {
  const lines = readFileSync(unit, 'utf8').split('\n');
  const kept = lines.filter((line) => !ITS_WORK.test(line) && !/^(Wants|After|Documentation)=/.test(line));
  const argument = JSON.stringify(options).replaceAll('"', '\\"');
  const added = ['[Service]', 'Type=oneshot', `ExecStart=${PROGRAM.join(' ')} "${argument}"`, ''];
  mkdirSync(RUNTIME, { recursive: true });
  const file = `${RUNTIME}/${NAME}.service`;
  writeFileSync(file, [...kept, ...added].join('\n'));
  try {
    await run('systemctl', ['daemon-reload']);
    const { code, complaints } = await run('systemctl', ['start', NAME]);
    const { out } = await run('journalctl', ['--output=cat', `--unit=${NAME}`]);
    assert.equal(code, 0, `${complaints}\n${out}`);
    return reportIn(out);
  } finally {
    rmSync(file);
    await run('systemctl', ['daemon-reload']);
  }
}

/** Runs the program as the same user, and nothing else holds it. */
export async function tryOutside(person: Person, options: JailOptions): Promise<JailReport> {
  const [program, ...args] = PROGRAM;
  const { code, out, complaints } = await run(program, [...args, JSON.stringify(options)], person);
  assert.equal(code, 0, complaints);
  return reportIn(out);
}

function reportIn(out: string): JailReport {
  const line = out.split('\n').find((each) => each.startsWith('{'));
  assert(line !== undefined, `the program said nothing of what it tried: ${out}`);
  return JSON.parse(line) as JailReport;
}
