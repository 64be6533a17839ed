import { keyOf, KEYS, SECTIONS } from './keys.js';
import type { Key, SectionName } from './keys.js';
import { logicalLines } from './lines.js';
import type { LogicalLine } from './lines.js';
import type { PolicyProblem, TextProblem } from './problem.js';
import { parseQualifier } from './qualifier.js';
import { parseHeading } from './section.js';
import type { Heading, Section, Setting } from './section.js';
import { didYouMean, nearest } from './suggest.js';

/** A policy file as read. */
export interface PolicyFile {
  /** As sources name it: its path without the root prefix. */
  readonly name: string;
  readonly sections: readonly Section[];
  /** One for each line that does not count. */
  readonly problems: readonly PolicyProblem[];
}

/** More of them do not help, and finding what was meant takes time. */
const MAX_PROBLEMS = 50;
/** Characters of a bad line that its problem repeats. */
const MAX_QUOTE_CHARS = 40;

/** Reads a policy file. Takes any bytes; a line that is no policy is a warning, and every other line counts. */
export function parsePolicyFile(name: string, bytes: Uint8Array): PolicyFile {
  const problems = new Problems(name);
  const sections: Section[] = [];
  let heading: Heading | 'none' | 'bad' = 'none';
  let settings: Setting[] = [];

  for (const line of logicalLines(bytes)) {
    const { problem } = line;
    if (problem !== undefined) {
      problems.add(line, 0, () => problem);
    } else if (line.text.startsWith('[')) {
      heading = readHeading(line, problems) ?? 'bad';
      settings = [];
      if (heading !== 'bad') sections.push({ ...heading, settings });
    } else if (heading === 'none') {
      problems.add(line, 0, () => ({ kind: 'outside-section', text: 'before the first [section]' }));
    } else if (heading !== 'bad') {
      const setting = readSetting(heading.name, line, problems);
      if (setting !== undefined) settings.push(setting);
    }
  }
  return { name, sections, problems: problems.all() };
}

function readHeading(line: LogicalLine, problems: Problems): Heading | undefined {
  if (!line.text.endsWith(']')) {
    problems.add(line, line.text.length, () => ({
      kind: 'unclosed-heading',
      text: 'ignored section: no ] at its end',
    }));
    return undefined;
  }
  const inner = line.text.slice(1, -1);
  const text = inner.trimStart();
  const heading = parseHeading(text.trimEnd());
  if (!('problem' in heading)) return heading;
  const offset = 1 + inner.length - text.length + heading.offset;
  problems.add(line, offset, () => found(heading, 'ignored section: '));
  return undefined;
}

function readSetting(section: SectionName, line: LogicalLine, problems: Problems): Setting | undefined {
  const equals = line.text.indexOf('=');
  if (equals === -1) {
    problems.add(line, 0, () => ({ kind: 'no-assignment', text: `${quote(line.text)} is no Key=value` }));
    return undefined;
  }
  const left = line.text.slice(0, equals).trimEnd();
  const bracket = left.indexOf('[');
  const name = (bracket === -1 ? left : left.slice(0, bracket)).trimEnd();
  const key = keyOf(section, name);
  if (key === undefined) {
    problems.add(line, 0, () =>
      name === '' ? { kind: 'no-key', text: 'no key before =' } : unknownKey(section, name),
    );
    return undefined;
  }
  const qualifier = bracket === -1 ? {} : readQualifier(left.slice(bracket), key);
  if ('problem' in qualifier) {
    problems.add(line, bracket + qualifier.offset, () => ({ ...found(qualifier, `${name}: `), key: name }));
    return undefined;
  }
  const text = line.text.slice(equals + 1).trimStart();
  const parsed = key.type.parse(text);
  if (text !== '' && !parsed.ok) {
    problems.add(line, line.text.length - text.length + parsed.offset, () => ({
      ...found(parsed, `${name}=${quote(text)}: `),
      key: name,
    }));
    return undefined;
  }
  return { key, qualifier, text, source: `policy:${problems.file}:${line.at(0).line}` };
}

/** @param text from its `[` on */
function readQualifier(
  text: string,
  { limit, byUse, byPitch }: Key<unknown>,
): ReturnType<typeof parseQualifier> {
  if (limit === undefined && byUse === undefined) {
    const problem = 'it holds for every use and format, and takes no [ ]';
    return { kind: 'unqualified-key', problem, offset: 0 };
  }
  if (!text.endsWith(']'))
    return { kind: 'unclosed-qualifier', problem: 'no ] before =', offset: text.length };
  const qualifier = parseQualifier(text.slice(1, -1));
  if ('problem' in qualifier) return { ...qualifier, offset: qualifier.offset + 1 };
  if (qualifier.above?.pitch !== undefined && byPitch !== true) {
    const problem = 'it holds for every pitch';
    return { kind: 'unqualified-key', problem, offset: text.indexOf('pitch>') };
  }
  if (limit !== undefined || (qualifier.formats ?? qualifier.above) === undefined) return qualifier;
  const problem = 'it holds for every image: write [USE,…]';
  return { kind: 'unqualified-key', problem, offset: text.search(/:|[a-z]+>/) };
}

function unknownKey(section: SectionName, name: string): Finding {
  const home = SECTIONS.find((other) => keyOf(other, name) !== undefined);
  if (home !== undefined) {
    const text = `${name} belongs in a [${home}${home === 'Broker' ? '' : ' …'}] section`;
    return { kind: 'misplaced-key', suggestion: home, text };
  }
  const words = Object.entries(KEYS[section]).flatMap(([key, { aliases = [] }]) =>
    [key, ...aliases].map((word): [string, string] => [word, key]),
  );
  const meant = new Map(words).get(
    nearest(
      name,
      words.map(([word]) => word),
    ) ?? '',
  );
  const problem = `unknown key ${quote(name)}`;
  return found({ kind: 'unknown-key', problem, ...(meant !== undefined && { suggestion: meant }) });
}

/** A problem without its place. */
type Finding = Pick<PolicyProblem, 'kind' | 'text' | 'key' | 'suggestion'>;

/** @param before stands before what a person reads of it */
function found({ kind, problem, suggestion }: Omit<TextProblem, 'offset'>, before = ''): Finding {
  const text = `${before}${problem}${didYouMean(suggestion)}`;
  return { kind, text, ...(suggestion !== undefined && { suggestion }) };
}

/** The beginning of a text, to be repeated. */
const quote = (text: string): string =>
  text.length > MAX_QUOTE_CHARS ? `${text.slice(0, MAX_QUOTE_CHARS)}…` : text;

/** What is wrong with one file, and where. */
class Problems {
  readonly file: string;
  readonly #found: PolicyProblem[] = [];
  #more = 0;

  constructor(file: string) {
    this.file = file;
  }

  add(line: LogicalLine, offset: number, find: () => Finding): void {
    if (this.#found.length === MAX_PROBLEMS) {
      this.#more += 1;
      return;
    }
    this.#found.push({ file: this.file, ...line.at(offset), ...find() });
  }

  all(): readonly PolicyProblem[] {
    if (this.#more === 0) return this.#found;
    return [...this.#found, { kind: 'more', file: this.file, text: `${this.#more} more lines do not count` }];
  }
}
