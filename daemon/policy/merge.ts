import type { MemoryClass, Use } from '../../dbus/names.js';
import { BROKER_KEYS, DEVICE_KEYS, HEAP_KEYS, POOL_KEYS, QUOTA_KEYS } from './keys.js';
import type { Key } from './keys.js';
import type { PolicyFile } from './parse.js';
import type {
  DeviceRules,
  HeapRules,
  Policy,
  PolicyValue,
  PoolRules,
  QuotaRules,
  RuleLimit,
  SizeContext,
} from './policy.js';
import { printProblem } from './problem.js';
import type { PolicyProblem } from './problem.js';
import { printQualifier } from './qualifier.js';
import { settingsOf } from './section.js';
import type { Section, Setting } from './section.js';
import { evaluate } from './size-expression.js';
import type { SizeExpression } from './size-expression.js';
import { BUILT_IN, effectiveSettings } from './effective-settings.js';

/** What D-Bus can carry. */
const U64 = 2n ** 64n - 1n;

/**
 * Makes one policy of the files, in the order in which they count: of each key the last word holds, and an empty value
 * takes back what was said under the same key and qualifier.
 * @param found what is wrong with the places where files were looked for
 */
export function mergePolicy(files: readonly PolicyFile[], found: readonly PolicyProblem[] = []): Policy {
  const sections = files.flatMap((file) => file.sections);
  const broker = settingsOf(sections.filter(({ name }) => name === 'Broker'));
  const problems = [...found, ...files.flatMap((file) => file.problems)];
  return {
    files: files.map(({ name }) => name),
    problems,
    warnings: problems.map(printProblem),
    maxBuffer: (context) => reckon(withBuiltIn(BROKER_KEYS.MaxBuffer, broker), context),
    plainOnSystemBus: () => withBuiltIn(BROKER_KEYS.PlainOnSystemBus, broker),
    frames: () => ({
      display: withBuiltIn(BROKER_KEYS.DisplayFrames, broker),
      camera: withBuiltIn(BROKER_KEYS.CameraFrames, broker),
    }),
    pool: (memoryClass, context) =>
      poolRules(
        sections.filter((section) => isPool(section, memoryClass)),
        context,
      ),
    quota: (subject, context) =>
      quotaRules(
        sections.filter((section) => section.name === 'Quota' && section.matches(subject)),
        context,
      ),
    effectiveSettings: () => effectiveSettings(sections),
    device: (subject) =>
      deviceRules(sections.filter((section) => section.name === 'Device' && section.matches(subject))),
    heap: (subject) =>
      heapRules(sections.filter((section) => section.name === 'Heap' && section.matches(subject))),
  };
}

const isPool = (section: Section, memoryClass: MemoryClass): boolean =>
  section.name === 'Pool' && section.class === memoryClass;

function poolRules(sections: readonly Section[], context: SizeContext): PoolRules {
  const settings = settingsOf(sections);
  return {
    limit: reckon(withBuiltIn(POOL_KEYS.Limit, settings), context),
    share: withBuiltIn(POOL_KEYS.Share, settings),
    warm: reckon(withBuiltIn(POOL_KEYS.Warm, settings), context),
    idle: withBuiltIn(POOL_KEYS.Idle, settings),
    access: withBuiltIn(POOL_KEYS.Access, settings),
  };
}

function quotaRules(sections: readonly Section[], context: SizeContext): QuotaRules {
  const settings = settingsOf(sections);
  return {
    bytes: reckon(withBuiltIn(QUOTA_KEYS.Bytes, settings), context),
    buffers: withBuiltIn(QUOTA_KEYS.Buffers, settings),
    clientBytes: reckon(withBuiltIn(QUOTA_KEYS.ClientBytes, settings), context),
    clientBuffers: withBuiltIn(QUOTA_KEYS.ClientBuffers, settings),
    unitBytes: reckon(withBuiltIn(QUOTA_KEYS.UnitBytes, settings), context),
    unitBuffers: withBuiltIn(QUOTA_KEYS.UnitBuffers, settings),
    channels: withBuiltIn(QUOTA_KEYS.Channels, settings),
    clientChannels: withBuiltIn(QUOTA_KEYS.ClientChannels, settings),
    rate: withBuiltIn(QUOTA_KEYS.Rate, settings),
    burst: withBuiltIn(QUOTA_KEYS.Burst, settings),
  };
}

function deviceRules(sections: readonly Section[]): DeviceRules {
  const settings = settingsOf(sections);
  const contiguous = lastWord(DEVICE_KEYS.Contiguous, settings);
  const foreignImports = lastWord(DEVICE_KEYS.ForeignImports, settings);
  const foreignImportsFor = lastWordsByUse(DEVICE_KEYS.ForeignImports, settings);
  const tryImport = lastWord(DEVICE_KEYS.TryImport, settings);
  return {
    known: sections.length > 0,
    limits: limitsOf(settings),
    ...(contiguous && { contiguous }),
    ...(foreignImports && { foreignImports }),
    ...(foreignImportsFor.length > 0 && { foreignImportsFor }),
    ...(tryImport && { tryImport }),
  };
}

/** The last word for each key and qualifier: one for some uses and one for all of them stand side by side. */
function limitsOf(settings: readonly Setting[]): readonly RuleLimit[] {
  const words = new Map<Key<unknown>, Map<string, Setting>>();
  for (const setting of settings) {
    const qualified = words.get(setting.key) ?? new Map<string, Setting>();
    words.set(setting.key, qualified.set(printQualifier(setting.qualifier), setting));
  }
  return [...words].flatMap(([{ limit }, qualified]) =>
    [...qualified.values()].flatMap(
      ({ text, source, qualifier }) => limit?.(text, { source, ...qualifier }) ?? [],
    ),
  );
}

function heapRules(sections: readonly Section[]): HeapRules {
  const settings = settingsOf(sections);
  const use = lastWord(HEAP_KEYS.Use, settings);
  const memoryClass = lastWord(HEAP_KEYS.Class, settings);
  const contiguous = lastWord(HEAP_KEYS.Contiguous, settings);
  const addressBits = lastWord(HEAP_KEYS.AddressBits, settings);
  const geometry = lastWord(HEAP_KEYS.Geometry, settings);
  const order = lastWord(HEAP_KEYS.Order, settings);
  return {
    ...(use && { use }),
    ...(memoryClass && { class: memoryClass }),
    ...(contiguous && { contiguous }),
    ...(addressBits && { addressBits }),
    ...(geometry && { geometry }),
    ...(order && { order }),
  };
}

/** The last word for a key without a qualifier; undefined when there is none, or when it takes back. */
const lastWord = <T>(key: Key<T>, settings: readonly Setting[]): PolicyValue<T> | undefined =>
  valueOf(
    key,
    settings.findLast((setting) => setting.key === key && setting.qualifier.uses === undefined),
  );

function valueOf<T>(key: Key<T>, setting: Setting | undefined): PolicyValue<T> | undefined {
  if (setting === undefined || setting.text === '') return undefined;
  const parsed = key.type.parse(setting.text);
  return parsed.ok ? { value: parsed.value, source: setting.source } : undefined;
}

/** The last word for a key and each list of uses that qualifies it. */
function lastWordsByUse<T>(
  key: Key<T>,
  settings: readonly Setting[],
): readonly (PolicyValue<T> & { readonly uses: readonly Use[] })[] {
  const words = new Map<string, Setting>();
  for (const setting of settings)
    if (setting.key === key && setting.qualifier.uses !== undefined)
      words.set(printQualifier(setting.qualifier), setting);
  return [...words.values()].flatMap((setting) => {
    const value = valueOf(key, setting);
    return value === undefined ? [] : [{ ...value, uses: setting.qualifier.uses ?? [] }];
  });
}

const withBuiltIn = <T>(
  key: Key<T> & { readonly builtIn: T },
  settings: readonly Setting[],
): PolicyValue<T> => lastWord(key, settings) ?? { value: key.builtIn, source: BUILT_IN };

function reckon({ value, source }: PolicyValue<SizeExpression>, context: SizeContext): PolicyValue<bigint> {
  const bytes = evaluate(value, context);
  return { value: bytes > U64 ? U64 : bytes, source };
}
