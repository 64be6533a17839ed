import type { KernelFiles } from './sysfs.js';

/** What was learned of a node. */
export interface NodeResult<T> {
  readonly facts: T;
  /** Whether the node itself could be asked; one that could not is asked again at the next reading. */
  readonly settled: boolean;
}

interface Note<T> extends NodeResult<T> {
  /** The identity of the file that stood there; undefined where there was none. */
  readonly identity: string | undefined;
  readonly warnings: readonly string[];
}

/**
 * What was learned of nodes, by their paths, for as long as each stays the file that it was: to be asked wakes a camera,
 * and opens a display's node that a compositor may be about to need. One reading of the machine is one page.
 */
export class NodeCache<T> {
  #before: ReadonlyMap<string, Note<T>> = new Map();
  #page = new Map<string, Note<T>>();
  #vanished = new Set<string>();

  /** Begins a reading: what it does not look up is forgotten with the next. */
  turn(): void {
    this.#before = this.#page;
    this.#page = new Map();
    this.#vanished = new Set();
  }

  /** Has every node asked anew at the next reading. */
  forget(): void {
    this.#page = new Map([...this.#page].map(([node, note]) => [node, { ...note, settled: false }]));
  }

  /**
   * What is known of a node; `learn` is called when it is new, when another file stands in its place, or when it could not
   * be asked before. Its warnings are repeated with what is known.
   * @returns undefined of a node that was there at the last reading and is not any more: it is going
   */
  async look(
    files: KernelFiles,
    node: string,
    read: (files: KernelFiles) => Promise<NodeResult<T>>,
  ): Promise<{ readonly facts: T; readonly isNew: boolean } | undefined> {
    const identity = await files.identity(node);
    const before = this.#before.get(node);
    if (identity === undefined && before?.identity !== undefined) {
      this.#vanished.add(node);
      return undefined;
    }
    const known = before?.identity === identity && before?.settled === true ? before : undefined;
    const note = known ?? (await this.#read(files, identity, read));
    for (const warning of note.warnings) files.repeat(warning);
    this.#page.set(node, note);
    return { facts: note.facts, isNew: known === undefined };
  }

  /** Notes other facts of a node that was looked up in this reading. */
  amend(node: string, facts: T): void {
    const note = this.#page.get(node);
    if (note !== undefined) this.#page.set(node, { ...note, facts });
  }

  /** What tells the files that stand at the nodes of this reading from others, where there are any. */
  get identities(): readonly (readonly [node: string, identity: string])[] {
    return [...this.#page].flatMap(([node, { identity }]) =>
      identity === undefined ? [] : [[node, identity]],
    );
  }

  /** Nodes that are to be looked up again soon: they could not be asked, or are going. */
  get unsettled(): readonly string[] {
    const unasked = [...this.#page].filter(([, { settled }]) => !settled).map(([node]) => node);
    return [...unasked, ...this.#vanished];
  }

  async #read(
    files: KernelFiles,
    identity: string | undefined,
    read: (files: KernelFiles) => Promise<NodeResult<T>>,
  ): Promise<Note<T>> {
    const warnings: string[] = [];
    const result = await read(files.warning((text) => warnings.push(text)));
    return { ...result, identity, warnings };
  }
}
