import { keyOf, KEYS, SECTIONS } from './keys.js';
import type { SectionName } from './keys.js';
import { logicalLines } from './lines.js';
import type { LogicalLine } from './lines.js';
import { parseQualifier } from './qualifier.js';
import { parseHeading } from './section.js';
import type { Heading, Section, Setting } from './section.js';
import { didYouMean, nearest } from './suggest.js';

/** A policy file as read. */
export interface PolicyFile {
  /** As sources name it: its path without the root prefix. */
  readonly name: string;
  readonly sections: readonly Section[];
  /** One for each line that does not count: `FILE:LINE:COLUMN: what is wrong`. */
  readonly warnings: readonly string[];
}

/** More of them help nobody, and finding what was meant takes time. */
const MOST_WARNINGS = 50;
/** Characters of a bad line that its warning repeats. */
const LONGEST_QUOTE = 40;

/** Reads a policy file. Takes any bytes; a line that is no policy is a warning, and every other line counts. */
export function parsePolicyFile(name: string, bytes: Uint8Array): PolicyFile {
  const warnings = new Warnings(name);
  const sections: Section[] = [];
  let heading: Heading | 'none' | 'bad' = 'none';
  let settings: Setting[] = [];

  for (const line of logicalLines(bytes)) {
    const { problem } = line;
    if (problem !== undefined) {
      warnings.add(line, 0, () => problem);
    } else if (line.text.startsWith('[')) {
      heading = readHeading(line, warnings) ?? 'bad';
      settings = [];
      if (heading !== 'bad') sections.push({ ...heading, settings });
    } else if (heading === 'none') {
      warnings.add(line, 0, () => 'before the first [section]');
    } else if (heading !== 'bad') {
      const setting = readSetting(heading.name, line, warnings);
      if (setting !== undefined) settings.push(setting);
    }
  }
  return { name, sections, warnings: warnings.texts() };
}

function readHeading(line: LogicalLine, warnings: Warnings): Heading | undefined {
  if (!line.text.endsWith(']')) {
    warnings.add(line, line.text.length, () => 'ignored section: no ] at its end');
    return undefined;
  }
  const inner = line.text.slice(1, -1);
  const text = inner.trimStart();
  const heading = parseHeading(text.trimEnd());
  if (!('problem' in heading)) return heading;
  const offset = 1 + inner.length - text.length + heading.offset;
  warnings.add(line, offset, () => `ignored section: ${heading.problem}`);
  return undefined;
}

function readSetting(section: SectionName, line: LogicalLine, warnings: Warnings): Setting | undefined {
  const equals = line.text.indexOf('=');
  if (equals === -1) {
    warnings.add(line, 0, () => `${quote(line.text)} is no Key=value`);
    return undefined;
  }
  const left = line.text.slice(0, equals).trimEnd();
  const bracket = left.indexOf('[');
  const name = (bracket === -1 ? left : left.slice(0, bracket)).trimEnd();
  const key = keyOf(section, name);
  if (key === undefined) {
    warnings.add(line, 0, () => (name === '' ? 'no key before =' : unknownKey(section, name)));
    return undefined;
  }
  const qualifier = bracket === -1 ? {} : readQualifier(left.slice(bracket), key.limit !== undefined);
  if ('problem' in qualifier) {
    warnings.add(line, bracket + qualifier.offset, () => `${name}: ${qualifier.problem}`);
    return undefined;
  }
  const text = line.text.slice(equals + 1).trimStart();
  const parsed = key.type.parse(text);
  if (text !== '' && !parsed.ok) {
    const { problem, suggestion } = parsed;
    warnings.add(
      line,
      line.text.length - text.length + parsed.offset,
      () => `${name}=${quote(text)}: ${problem}${didYouMean(suggestion)}`,
    );
    return undefined;
  }
  return { key, qualifier, text, source: `policy:${warnings.file}:${line.at(0).line}` };
}

/** @param text from its `[` on */
function readQualifier(text: string, allowed: boolean): ReturnType<typeof parseQualifier> {
  if (!allowed) return { problem: 'it holds for every use and format, and takes no [ ]', offset: 0 };
  if (!text.endsWith(']')) return { problem: 'no ] before =', offset: text.length };
  const qualifier = parseQualifier(text.slice(1, -1));
  return 'problem' in qualifier ? { ...qualifier, offset: qualifier.offset + 1 } : qualifier;
}

function unknownKey(section: SectionName, name: string): string {
  const home = SECTIONS.find((other) => keyOf(other, name) !== undefined);
  if (home !== undefined) return `${name} belongs in a [${home}${home === 'Broker' ? '' : ' …'}] section`;
  const words = Object.entries(KEYS[section]).flatMap(([key, { aliases = [] }]) =>
    [key, ...aliases].map((word): [string, string] => [word, key]),
  );
  const meant = new Map(words).get(
    nearest(
      name,
      words.map(([word]) => word),
    ) ?? '',
  );
  return `unknown key ${quote(name)}${didYouMean(meant)}`;
}

/** The beginning of a text, to be repeated. */
const quote = (text: string): string =>
  text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;

/** What is wrong with one file, and where. */
class Warnings {
  readonly file: string;
  readonly #texts: string[] = [];
  #more = 0;

  constructor(file: string) {
    this.file = file;
  }

  add(line: LogicalLine, offset: number, text: () => string): void {
    if (this.#texts.length === MOST_WARNINGS) {
      this.#more += 1;
      return;
    }
    const place = line.at(offset);
    this.#texts.push(`${this.file}:${place.line}:${place.column}: ${text()}`);
  }

  texts(): readonly string[] {
    return this.#more === 0
      ? this.#texts
      : [...this.#texts, `${this.file}: ${this.#more} more lines do not count`];
  }
}
