import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A program that the documentation shows. */
export interface Example {
  /** File and line, for the name of a test. */
  readonly where: string;
  readonly code: string;
  /** What it says that it prints: the comments behind `console.log(…);`, in order. */
  readonly prints: readonly string[];
}

const CLIENT = fileURLToPath(new URL('../../client/', import.meta.url));

/** Every code block of the library's documentation: of its doc comments, and of its manual. */
export function examples(): readonly Example[] {
  const files = readdirSync(CLIENT, { recursive: true, encoding: 'utf8' });
  return files.toSorted().flatMap((name) => {
    if (name.startsWith('cli/')) return [];
    if (name.endsWith('.ts'))
      return blocks(name, /^( *\* )```ts\n(.*?)^ *\* ```$/gms, (line) => line.replace(/^ *\* ?/, ''));
    if (name === 'man/dmabroker.3') return blocks(name, /^(\.Bd -literal.*?\n)(.*?)^\.Ed$/gms, unescape);
    return [];
  });
}

function blocks(name: string, pattern: RegExp, clean: (line: string) => string): readonly Example[] {
  const text = readFileSync(CLIENT + name, 'utf8');
  return [...text.matchAll(pattern)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    const code = (match[2] ?? '').split('\n').map(clean).join('\n');
    const prints = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, said = '']) => said);
    return { where: `client/${name}:${line}`, code, prints };
  });
}

/** mdoc's `\e` is a backslash, and `\&` before a dot is nothing. */
const unescape = (line: string): string => line.replaceAll('\\&', '').replaceAll('\\e', '\\');
