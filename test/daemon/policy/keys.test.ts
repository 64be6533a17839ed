import { describe, expect, it } from 'vitest';
import { KEYS, keyOf, SECTIONS } from '../../../daemon/policy/keys.js';
import { nearest } from '../../../daemon/policy/suggest.js';

const rows = SECTIONS.flatMap((section) =>
  Object.entries(KEYS[section]).map(([name, key]) => [section, name, key] as const),
);

/** Keys of a device that say something else than a limit. */
const NO_LIMITS = ['Contiguous', 'ForeignImports', 'TryImport'];

describe('the table of keys', () => {
  it.each(rows)('[%s] %s says what it is in one sentence', (_section, _name, key) => {
    expect(key.doc).toMatch(/^[A-Z].*[a-z]\.$/);
    expect(key.type.syntax).not.toBe('');
  });

  it.each(rows)('[%s] %s prints what is built in as it reads it', (_section, _name, key) => {
    if (key.builtIn === undefined) return;
    expect(key.type.parse(key.type.print(key.builtIn))).toEqual({ ok: true, value: key.builtIn });
  });

  it.each(rows)('[%s] %s has aliases that are no keys and mean one key only', (section, _name, key) => {
    const others = Object.values(KEYS[section]).filter((other) => other !== key);
    for (const alias of key.aliases ?? []) {
      expect(keyOf(section, alias)).toBeUndefined();
      expect(others.flatMap((other) => other.aliases ?? [])).not.toContain(alias);
    }
  });

  it.each(rows)('[%s] %s makes a limit of a value, or is no limit', (section, name, key) => {
    const text = ['1', 'yes'].find((value) => key.type.parse(value).ok) ?? '';
    const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).slice(1);
    const isLimit = section === 'Device' && !NO_LIMITS.includes(name);
    expect(key.limit?.(text, { source: 'policy:f:1' })?.limit).toBe(isLimit ? words : undefined);
  });

  it('leads from words that people try to the key that they want', () => {
    const words = Object.entries(KEYS.Device).flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
    expect(nearest('StrideAlign', words)).toBe('StrideAlign');
    expect(KEYS.Device['PitchMultiple']?.aliases).toContain('StrideAlign');
  });
});
