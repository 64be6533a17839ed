import { MEMORY_CLASSES } from '../../dbus/names.js';
import { KEYS } from './keys.js';
import type { Key, SectionName } from './keys.js';
import type { EffectiveSetting } from './policy.js';
import { settingsOf } from './section.js';
import type { Section, Setting } from './section.js';

/** The source of what no file says. */
export const BUILT_IN = 'policy:built-in';

/**
 * What holds, as it is written: every key of the broker, of each class of memory and of everybody's quotas, then what is
 * said of some callers' quotas and not taken back for everybody by a later line.
 */
export const effectiveSettings = (sections: readonly Section[]): readonly EffectiveSetting[] => [
  ...settingsInForce('Broker', '[Broker]', settingsOf(sections.filter(({ name }) => name === 'Broker'))),
  ...MEMORY_CLASSES.flatMap((memoryClass) =>
    settingsInForce(
      'Pool',
      `[Pool ${memoryClass}]`,
      settingsOf(sections.filter((section) => section.name === 'Pool' && section.class === memoryClass)),
    ),
  ),
  ...settingsInForce('Quota', '[Quota]', settingsOf(sections.filter(isForEverybody))),
  ...narrowSettings(sections),
];

const isForEverybody = (section: Section): boolean => section.name === 'Quota' && section.match === '';

function settingsInForce(
  section: SectionName,
  heading: string,
  settings: readonly Setting[],
): readonly EffectiveSetting[] {
  return Object.entries(KEYS[section]).map(([key, row]) => {
    const last = settings.findLast((setting) => setting.key === row);
    const text = last === undefined || last.text === '' ? undefined : printed(row, last.text);
    return {
      heading,
      key,
      text: text ?? row.type.print(row.builtIn),
      source: last !== undefined && text !== undefined ? last.source : BUILT_IN,
    };
  });
}

/** As it would be written today, whatever the words of the file. */
function printed(key: Key<unknown>, text: string): string | undefined {
  const parsed = key.type.parse(text);
  return parsed.ok ? key.type.print(parsed.value) : undefined;
}

function narrowSettings(sections: readonly Section[]): readonly EffectiveSetting[] {
  const words = new Map<string, EffectiveSetting>();
  for (const section of sections) {
    if (section.name !== 'Quota') continue;
    const heading = `[Quota ${section.match}]`;
    for (const { key: row, text, source } of section.settings) {
      const key = Object.entries(KEYS.Quota).find(([, each]) => each === row)?.[0] ?? '';
      if (section.match === '' || text === '') {
        for (const [name, word] of words) {
          if (word.key === key && (section.match === '' || word.heading === heading)) words.delete(name);
        }
      } else {
        words.delete(`${heading} ${key}`);
        words.set(`${heading} ${key}`, { heading, key, text: printed(row, text) ?? text, source });
      }
    }
  }
  return [...words.values()].toSorted((a, b) => order(words, a.heading) - order(words, b.heading));
}

/** Sections stand in the order in which each was first heard of. */
const order = (words: ReadonlyMap<string, EffectiveSetting>, heading: string): number =>
  [...words.values()].findIndex((word) => word.heading === heading);
