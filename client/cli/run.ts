import { BUS_NAME } from '../../dbus/names.js';
import type { Broker } from '../broker.js';
import { connect } from '../connect.js';
import { DmabrokerError } from '../errors.js';
import { checkOperands, findVerb, isGroup, parseArguments, type Arguments } from './arguments.js';
import { programHelp, verbHelp } from './help.js';
import { GLOBAL_OPTIONS } from './options.js';
import { Output, type Sink } from './output.js';
import { printable } from './table.js';
import { EXIT, UsageError } from './usage.js';
import type { Context, Input, Verb } from './verb.js';
import { ALL_VERBS, VERBS } from './verbs/index.js';

/** What the program has of the world around it. */
export interface World {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Input;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Ctrl-C and the like. */
  readonly stop: AbortSignal;
  readonly version: string;
  /** The package's own policy directory, which stands in for a vendor's. */
  readonly shipped: string;
}

/** Columns of a help text where nobody says how many there are. */
const HELP_WIDTH = 80;

/** Runs dmabrokerctl. @returns the exit code */
export async function run(world: World): Promise<number> {
  const warn = (text: string): void => {
    world.stderr.write(`${printable(text)}\n`);
  };
  const names = ALL_VERBS.map((each) => each.name);
  const { verb: name, others } = findVerb(world.argv, names);
  const verb = ALL_VERBS.find((each) => each.name === name);
  const group = name !== undefined && isGroup(name, names);
  // What may be meant: of a group, its verbs.
  const verbs = group ? VERBS.filter((each) => each.name.startsWith(`${name} `)) : VERBS;
  try {
    if (name !== undefined && verb === undefined && !group)
      throw new UsageError(`there is no verb '${name}'`);
    const args = parseArguments(others, [...GLOBAL_OPTIONS, ...(verb?.options ?? [])]);
    if (args.flag('help') || args.flag('version')) {
      const width = world.stdout.columns ?? HELP_WIDTH;
      const help = verb === undefined ? programHelp(verbs, width) : verbHelp(verb, width);
      world.stdout.write(`${(args.flag('help') ? help : [`dmabrokerctl ${world.version}`]).join('\n')}\n`);
      return EXIT.done;
    }
    if (verb === undefined)
      throw new UsageError(`say what to do: ${verbs.map((each) => each.name).join(', ')}`);
    checkOperands(args, verb);
    return await runVerb(verb, args, world, warn);
  } catch (error) {
    if (error instanceof UsageError) {
      warn(`dmabrokerctl: ${error.message}`);
      warn(`dmabrokerctl ${verb === undefined ? '' : `${verb.name} `}--help says more.`);
      return EXIT.wrongUse;
    }
    if (!(error instanceof DmabrokerError)) throw error;
    const absent = absenceText(error);
    warn(`dmabrokerctl: ${absent ?? error.message}`);
    return absent === undefined ? EXIT.refused : EXIT.noDaemon;
  }
}

async function runVerb(verb: Verb, args: Arguments, world: World, warn: Context['warn']): Promise<number> {
  let broker: Promise<Broker> | undefined;
  const context: Context = {
    out: new Output(world.stdout, world.env),
    json: args.flag('json'),
    env: world.env,
    shipped: world.shipped,
    stdin: world.stdin,
    stop: world.stop,
    connect: (options) => {
      const bus = args.text('bus');
      return (broker ??= connect({ ...options, ...(bus !== undefined && { bus }) }));
    },
    warn,
  };
  try {
    const result = await verb.run(context, args);
    return typeof result === 'number' ? result : result.command;
  } finally {
    await (await broker?.catch(() => undefined))?.close();
  }
}

/** What to do when there is nobody to ask; undefined when the broker itself refused. */
function absenceText({ code, message }: DmabrokerError): string | undefined {
  if (code === 'NoBus') return `${message}; name another bus with --bus`;
  if (code === 'DaemonLeft')
    return 'the daemon left the bus before it answered; journalctl -u dmabrokerd says why';
  if (code !== 'NoDaemon') return undefined;
  return `nobody owns ${BUS_NAME} on this bus; start the daemon (systemctl start dmabrokerd), or name another bus with --bus`;
}
