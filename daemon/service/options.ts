import { Command, CommanderError, Option } from 'commander';

import type { BusKind } from '../bus/server.js';

export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The command line of dmabrokerd. */
export interface DaemonOptions {
  /** `system`, `session`, or a D-Bus address. */
  readonly bus: string;
  readonly replace: boolean;
  /** Put before every path that is read; empty for the machine itself. */
  readonly root: string;
  /** File with a recorded hardware profile. */
  readonly profile?: string;
  readonly stateDir?: string;
  readonly logLevel: LogLevel;
  readonly check: boolean;
}

/** What a command line asks for: to run, or only to end with this exit code (help and version were printed). */
export type CommandLine =
  | { readonly run: true; readonly options: DaemonOptions }
  | { readonly run: false; readonly exitCode: number };

/** Wrong use of the command line, as systemd counts exit codes (systemd.exec(5), INVALIDARGUMENT). */
const EXIT_WRONG_USE = 2;

/** @param args without node and the program */
export function parseOptions(args: readonly string[], version: string): CommandLine {
  const command = new Command('dmabrokerd')
    .description('Allocates dma-buf memory that every named device can use, over D-Bus.')
    .version(version)
    .option('--bus <BUS>', 'system, session, or the address of a message bus', 'system')
    .option('--replace', 'take the bus name from a running daemon', false)
    .option('--root <DIR>', 'read /sys, /dev, /proc, /etc, /run and /usr below this directory', '')
    .option('--profile <FILE>', 'decide for the machine of a hardware profile, with plain memory')
    .option('--state-dir <DIR>', 'directory for the state that outlives the daemon')
    .addOption(
      new Option('--log-level <LEVEL>', 'lowest level that is logged').choices(LOG_LEVELS).default('info'),
    )
    .option('--check', 'print what the daemon would do, and fail if the policy has mistakes', false)
    .allowExcessArguments(false)
    .exitOverride();
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { run: false, exitCode: error.exitCode === 0 ? 0 : EXIT_WRONG_USE };
  }
  return { run: true, options: command.opts<DaemonOptions>() };
}

export const busKindOf = (bus: string): BusKind => (bus === 'system' || bus === 'session' ? bus : 'address');
