import { once } from 'node:events';

import type { Broker } from '../../broker.js';
import type { Watch } from '../../watch.js';
import type { Arguments } from '../arguments.js';
import { FullScreen } from '../top/full-screen.js';
import { Processes } from '../top/processes.js';
import { isBusy, Tally, type Picture } from '../top/tally.js';
import { viewLines } from '../top/view.js';
import { EXIT, type ExitCode } from '../usage.js';
import type { Context, Verb } from '../verb.js';

/** Milliseconds between two pictures while news comes; the daemon gathers its own for as long. */
const MIN_FRAME_MS = 100;
/** Milliseconds between two lines of JSON, and between two pictures of rates that only fall. */
const CALM_FRAME_MS = 1000;

export const top: Verb = {
  name: 'top',
  summary: 'Show live how full the pools are, who has what, and how often they ask',
  options: [
    { name: 'all', text: "show others' allocations too; polkit asks for an administrator" },
    { name: 'once', text: 'print what there is now, and end' },
  ],
  notes: [
    'q ends it. Rates are of the last ten seconds. Where stdout is not a terminal, it prints what there is now, and ends.',
    'With --json, every line is a picture: time, broker, pools and owners. One comes at once, and one when anything changed, at most one a second.',
  ],
  async run(context, args) {
    const broker = await context.connect();
    // Asked once: what is allowed holds for the connection, and so for the watch on it.
    if (args.flag('all')) await broker.allocations('others');
    await using watch = await broker.watch();
    await using processes = await Processes.on(args.text('bus') ?? 'system');
    const tally = new Tally(watch.objects, Date.now());
    return await show(context, args, broker, { watch, tally, processes });
  },
};

/** What is shown, and where it comes from. */
interface Shown {
  readonly watch: Watch;
  readonly tally: Tally;
  readonly processes: Processes;
}

async function show(
  context: Context,
  args: Arguments,
  broker: Broker,
  { watch, tally, processes }: Shown,
): Promise<ExitCode> {
  const { out, json } = context;
  const { terminal } = out;
  const print = (picture: Picture): void => {
    if (json) out.jsonLine({ time: new Date(), ...picture });
    else out.lines(viewLines(picture, { ...out.size, colour: (...words) => out.colour(...words) }));
  };
  if (args.flag('once') || (!json && terminal === undefined)) {
    const picture = tally.picture(Date.now());
    await processes.learn(picture);
    print(processes.named(picture));
    return EXIT.done;
  }
  const quit = new AbortController();
  const live = new Live(watch, tally, json ? CALM_FRAME_MS : MIN_FRAME_MS);
  using screen =
    json || terminal === undefined
      ? undefined
      : new FullScreen({
          stdout: terminal,
          stdin: context.stdin,
          quit: () => {
            quit.abort();
          },
          redraw: () => {
            live.show();
          },
        });
  const foot = args.flag('all') ? FOOT : `${FOOT}; allocations are your own, and all for root or with --all`;
  using _shown = live.start((bare) => {
    const picture = processes.named(bare);
    void processes.learn(bare).then((isNew) => {
      if (isNew) live.soon();
    });
    if (screen === undefined) print(picture);
    else {
      const { width, height } = screen;
      screen.draw(viewLines(picture, { width, height, foot, colour: (...words) => out.colour(...words) }));
    }
  });
  return await untilLeft(broker, AbortSignal.any([context.stop, quit.signal]));
}

const FOOT = 'q ends';

/** @throws {DmabrokerError} NoBus when the connection ends first */
async function untilLeft(broker: Broker, left: AbortSignal): Promise<ExitCode> {
  try {
    const [error] = (await once(broker, 'closed', { signal: left })) as readonly unknown[];
    throw error;
  } catch (error) {
    if (left.aborted) return EXIT.done;
    throw error;
  }
}

/** Shows a picture now, when the watch has news, and as long as rates fall. Nothing wakes it while nothing happens. */
class Live implements Disposable {
  readonly #watch: Watch;
  readonly #tally: Tally;
  readonly #interval: number;
  #shower: (picture: Picture) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #due = Infinity;
  #ended = false;

  constructor(watch: Watch, tally: Tally, interval: number) {
    this.#watch = watch;
    this.#tally = tally;
    this.#interval = interval;
  }

  start(shower: (picture: Picture) => void): this {
    this.#shower = shower;
    this.#watch.on('added', (object) => {
      this.#tally.added(object);
      this.#showWithin(this.#interval);
    });
    this.#watch.on('changed', (object, before) => {
      this.#tally.changed(object, before, Date.now());
      this.#showWithin(this.#interval);
    });
    this.#watch.on('removed', (object) => {
      this.#tally.removed(object);
      this.#showWithin(this.#interval);
    });
    this.show();
    return this;
  }

  show(): void {
    clearTimeout(this.#timer);
    this.#due = Infinity;
    const picture = this.#tally.picture(Date.now());
    this.#shower(picture);
    if (isBusy(picture)) this.#showWithin(CALM_FRAME_MS);
  }

  /** Shows a picture with the next news. */
  soon(): void {
    if (!this.#ended) this.#showWithin(this.#interval);
  }

  #showWithin(milliseconds: number): void {
    const due = performance.now() + milliseconds;
    if (due >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.show();
    }, milliseconds);
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}
