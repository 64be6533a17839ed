/** Characters of a client's text that a message repeats. */
const MAX_CHARS_SHOWN = 40;

/** A client's text as a message may show it: in quotes, short, printable ASCII with everything else escaped. */
export function quote(text: string): string {
  const characters = Array.from(text.slice(0, MAX_CHARS_SHOWN + 1));
  const shown = characters.slice(0, MAX_CHARS_SHOWN).map(escaped).join('');
  return `"${shown}${text.length > MAX_CHARS_SHOWN ? '…' : ''}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  if (/^[ -~]$/.test(character)) return character;
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
