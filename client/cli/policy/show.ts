import { CPU, type Inventory } from '../../../daemon/devices/inventory.js';
import { amountText } from '../../../daemon/sizing/amount.js';
import { planPools, sizeContext } from '../../../daemon/sizing/plan.js';
import { DEVICE_KEYS, keyOf, SECTIONS } from '../../../daemon/policy/keys.js';
import type {
  DeviceRules,
  HeapRules,
  Policy,
  EffectiveSetting,
  RuleLimit,
} from '../../../daemon/policy/policy.js';
import { evaluate, speaksOfHeap } from '../../../daemon/policy/size-expression.js';
import { parseSize } from '../../../daemon/policy/size-parser.js';
import { machineSize, poolSize } from '../../../daemon/policy/value-types.js';
import type { Output } from '../output.js';
import { placeText } from './report.js';

/** What a size comes to on a machine. */
interface Amount {
  readonly bytes: bigint;
  /** The heap's id, for a size that speaks of a heap. */
  readonly heap?: string;
}

/** A word of policy with what it comes to; no amounts of what is no size, or of memory that the machine has not. */
export interface WordHere extends EffectiveSetting {
  readonly here: readonly Amount[];
}

/** What policy says, and what it means on one machine. */
export interface Shown {
  readonly files: readonly string[];
  readonly warnings: readonly string[];
  readonly words: readonly WordHere[];
  /** What rules say of the machine's devices. */
  readonly devices: readonly {
    readonly node: string;
    readonly driver: string;
    readonly rules: DeviceRules;
  }[];
  /** What rules say of its heaps. */
  readonly heaps: readonly { readonly id: string; readonly rules: HeapRules }[];
}

export function showPolicy(policy: Policy, inventory: Inventory): Shown {
  const plans = planPools(inventory, policy);
  const context = sizeContext(inventory);
  const here = ({ heading, key, text }: EffectiveSetting): readonly Amount[] => {
    const [name = '', memoryClass] = heading.slice(1, -1).split(' ');
    const section = SECTIONS.find((each) => each === name);
    const type = section && keyOf(section, key)?.type;
    const size = type === poolSize || type === machineSize ? parseSize(text) : undefined;
    if (size?.ok !== true) return [];
    if (type === machineSize) return [{ bytes: evaluate(size.value, context) }];
    const heaps = plans.filter((plan) => plan.class === memoryClass).map(({ heap }) => heap);
    if (!speaksOfHeap(size.value))
      return heaps.slice(0, 1).map(() => ({ bytes: evaluate(size.value, context) }));
    return heaps.map(({ id, capacity }) => ({
      bytes: evaluate(size.value, capacity === undefined ? context : { ...context, heap: capacity.value }),
      heap: id,
    }));
  };
  return {
    files: policy.files,
    warnings: policy.warnings,
    words: policy.effectiveSettings().map((word) => ({ ...word, here: here(word) })),
    devices: inventory.devices
      .filter(({ node }) => node !== CPU)
      .map((device) => ({ node: device.node, driver: device.driver, rules: policy.device(device) })),
    heaps: inventory.heaps.map((heap) => ({ id: heap.id, rules: policy.heap(heap) })),
  };
}

/** The tables of `policy show`. */
export function printShown(out: Output, { files, words, devices, heaps }: Shown): void {
  out.pairs([['policy', files.length === 0 ? ['no file: all is built in'] : files]]);
  const headings = [...new Set(words.map(({ heading }) => heading))];
  const rows = [
    ...headings.flatMap((heading) => [
      [heading, '', '', ''],
      ...words
        .filter((word) => word.heading === heading)
        .map(({ key, text, here, source }) => [INDENT + key, text, amounts(here), placeText(source)]),
    ]),
    ...devices.flatMap(({ node, driver, rules }) => [
      [node, driver, '', rules.known ? '' : 'no rule knows this driver'],
      ...deviceRows(rules),
    ]),
    ...heaps.flatMap(({ id, rules }) => {
      const its = heapRows(rules);
      return its.length === 0 ? [] : [[id, '', '', ''], ...its];
    }),
  ];
  out.line();
  out.table(
    [
      { title: 'KEY' },
      { title: 'VALUE', wraps: true },
      { title: 'HERE', wraps: true },
      { title: 'SOURCE', wraps: true },
    ],
    rows,
    (text, row) => (rows[row]?.[0]?.startsWith(INDENT) === true ? text : out.colour('bold', text)),
  );
}

const INDENT = '  ';

/** `51.2 MiB`, or of several heaps `51.2 MiB (dma-heap:linux,cma), …`. */
const amounts = (here: readonly Amount[]): string => {
  if (new Set(here.map(({ bytes }) => bytes)).size === 1) return amountText(here[0]?.bytes ?? 0n);
  return here
    .map(({ bytes, heap }) => `${amountText(bytes)}${heap === undefined ? '' : ` (${heap})`}`)
    .join(', ');
};

const deviceRows = ({
  limits,
  contiguous,
  foreignImports,
  foreignImportsFor = [],
}: DeviceRules): readonly (readonly string[])[] => [
  ...limits.map((limit) => [
    INDENT + limit.limit + qualifierText(limit),
    String(limit.value) + (limit.per === undefined ? '' : ` per ${limit.per}`),
    '',
    placeText(limit.source),
  ]),
  ...(contiguous ? [[`${INDENT}contiguous`, contiguous.value, '', placeText(contiguous.source)]] : []),
  ...[...(foreignImports ? [{ ...foreignImports, uses: [] }] : []), ...foreignImportsFor].map(
    ({ value, source, uses }) => [
      `${INDENT}foreign imports${qualifierText({ uses })}`,
      DEVICE_KEYS.ForeignImports.type.print(value),
      '',
      placeText(source),
    ],
  ),
];

/** As the files write it: `[decode:NV12]`. */
const qualifierText = ({
  uses = [],
  above = {},
  formats = [],
}: Pick<RuleLimit, 'uses' | 'above' | 'formats'>): string => {
  const holds = [...uses, ...Object.entries(above).map(([measure, size]) => `${measure}>${size}`)];
  if (holds.length === 0 && formats.length === 0) return '';
  return `[${holds.join()}${formats.length === 0 ? '' : `:${formats.map((each) => each.trim()).join()}`}]`;
};

const heapRows = ({
  use,
  class: memoryClass,
  contiguous,
  addressBits,
  geometry,
  order,
}: HeapRules): readonly (readonly string[])[] =>
  [
    ...(use ? [['use', use.value ? 'yes' : 'no', use.source] as const] : []),
    ...(memoryClass ? [['class', memoryClass.value, memoryClass.source] as const] : []),
    ...(contiguous ? [['contiguous', contiguous.value, contiguous.source] as const] : []),
    ...(addressBits ? [['address bits', String(addressBits.value), addressBits.source] as const] : []),
    ...(geometry ? [['geometry', geometry.value ? 'yes' : 'no', geometry.source] as const] : []),
    ...(order ? [['order', String(order.value), order.source] as const] : []),
  ].map(([name, value, source]) => [INDENT + name, value, '', placeText(source)]);
