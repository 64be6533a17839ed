/** What can be wrong with policy files. A kind is stable; the text beside it is for a person. */
export type ProblemKind =
  // A file, or a place where files are looked for.
  | 'dangling-link'
  | 'file-too-large'
  | 'not-a-file'
  | 'unreadable'
  /** More problems than a file's list has. */
  | 'more'
  // A line.
  | 'line-too-long'
  | 'no-assignment'
  | 'no-key'
  | 'not-text'
  | 'outside-section'
  // A heading.
  | 'empty-condition'
  | 'no-condition'
  | 'unclosed-heading'
  | 'unknown-class'
  | 'unknown-condition'
  | 'unknown-section'
  // A key, and the brackets behind it.
  | 'bad-size-condition'
  | 'empty-qualifier'
  | 'format-as-use'
  | 'misplaced-key'
  | 'not-a-fourcc'
  | 'unclosed-qualifier'
  | 'unknown-key'
  | 'unknown-use'
  | 'unqualified-key'
  // A value.
  | 'bad-value'
  | 'no-heap'
  | 'out-of-range'
  | 'unknown-unit'
  // A size, besides.
  | 'fraction-of-whole'
  | 'missing-bracket'
  | 'no-size'
  | 'too-deep'
  | 'too-many-digits'
  | 'unknown-share'
  // A heading or a value.
  | 'trailing-text';

/** What is wrong with a text, and how many characters into it. */
export interface TextProblem {
  readonly kind: ProblemKind;
  readonly problem: string;
  readonly offset: number;
  /** What was probably meant; not part of `problem`. */
  readonly suggestion?: string;
}

/** What reading a text gave, or what is wrong with it. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & TextProblem);

/** What is wrong with the policy files of a machine, and where. */
export interface PolicyProblem {
  readonly kind: ProblemKind;
  /** As sources name it: its path without the root prefix. */
  readonly file: string;
  /** Both from 1; absent when it is about the whole file. */
  readonly line?: number;
  readonly column?: number;
  /** The key whose qualifier or value it is about, as it is written. */
  readonly key?: string;
  readonly suggestion?: string;
  readonly text: string;
}

/** `FILE:LINE:COLUMN: what is wrong`. */
export const printProblem = ({ file, line, column, text }: PolicyProblem): string =>
  line === undefined ? `${file}: ${text}` : `${file}:${line}:${column ?? 1}: ${text}`;
