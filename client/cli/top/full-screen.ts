import type { Sink } from '../output.js';
import type { Input } from '../verb.js';

/** Control sequences of xterm(1), which every terminal of today has. */
const ENTER = '\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l';
const LEAVE = '\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l';
const HOME = '\u{1b}[H';
const END_OF_LINE = '\u{1b}[K';
const END_OF_SCREEN = '\u{1b}[J';

/** Where the terminal does not say. */
const DEFAULT_SIZE = { columns: 80, rows: 24 };

const CTRL_C = '\u{3}';
const CTRL_Z = '\u{1a}';
/** Milliseconds within which a process is stopped that can be. */
const STOP_TIMEOUT_MS = 100;

export interface FullScreenOptions {
  readonly stdout: Sink;
  readonly stdin: Input;
  /** The person wants to leave. */
  readonly quit: () => void;
  /** All has to be drawn again. */
  readonly redraw: () => void;
}

/** The whole terminal, until it is disposed of: then it is as it was before, on whatever way the program ends. */
export class FullScreen implements Disposable {
  readonly #options: FullScreenOptions;
  #unstopped: NodeJS.Timeout | undefined;
  readonly #leave = (): void => {
    this.#restore();
  };
  readonly #resized = (): void => {
    this.#options.redraw();
  };
  readonly #continued = (): void => {
    clearTimeout(this.#unstopped);
    this.#take();
    this.#options.redraw();
  };
  readonly #typed = (data: Buffer | string): void => {
    for (const key of data.toString()) {
      if (key === 'q' || key === 'Q' || key === CTRL_C) this.#options.quit();
      else if (key === CTRL_Z) this.#suspend();
    }
  };

  constructor(options: FullScreenOptions) {
    this.#options = options;
    const { stdin, stdout } = options;
    process.once('exit', this.#leave);
    process.on('SIGCONT', this.#continued);
    stdout.on?.('resize', this.#resized);
    if (stdin.isTTY === true) stdin.on('data', this.#typed);
    this.#take();
  }

  get width(): number {
    return this.#options.stdout.columns ?? DEFAULT_SIZE.columns;
  }

  get height(): number {
    return this.#options.stdout.rows ?? DEFAULT_SIZE.rows;
  }

  /** Shows these lines and nothing else, without flicker. */
  draw(lines: readonly string[]): void {
    const text = lines.map((line) => line + END_OF_LINE).join('\r\n');
    this.#options.stdout.write(HOME + text + END_OF_SCREEN);
  }

  [Symbol.dispose](): void {
    const { stdin, stdout } = this.#options;
    clearTimeout(this.#unstopped);
    process.off('exit', this.#leave);
    process.off('SIGCONT', this.#continued);
    stdout.off?.('resize', this.#resized);
    if (stdin.isTTY === true) {
      stdin.off('data', this.#typed);
      stdin.pause();
    }
    this.#restore();
  }

  #take(): void {
    const { stdin, stdout } = this.#options;
    if (stdin.isTTY === true) stdin.setRawMode?.(true);
    stdout.write(ENTER);
  }

  #restore(): void {
    const { stdin, stdout } = this.#options;
    stdout.write(LEAVE);
    if (stdin.isTTY === true) stdin.setRawMode?.(false);
  }

  /** What the kernel does at Ctrl-Z where keys mean something to it. */
  #suspend(): void {
    this.#restore();
    process.kill(process.pid, 'SIGTSTP');
    // Where no shell could continue it, the kernel does not stop it, and it goes on at once.
    clearTimeout(this.#unstopped);
    this.#unstopped = setTimeout(this.#continued, STOP_TIMEOUT_MS);
  }
}
