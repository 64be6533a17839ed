import type { RuleLimit, RuleLimitValues } from './policy.js';
import { bytes32, bytes64, count, wholeNumber, yesOrNo } from './value-types.js';
import type { ValueType } from './value-types.js';

/** What a limit holds for, and where it stands. */
export type LimitScope = Pick<RuleLimit, 'source' | 'uses' | 'formats'>;

/** Makes a limit of a valid value; none of a `no`, which asks for nothing. */
export type LimitReader = (text: string, scope: LimitScope) => RuleLimit | undefined;

/** The limits whose value is of this type. */
type LimitOf<V> = {
  [K in keyof RuleLimitValues]: RuleLimitValues[K] extends V ? K : never;
}[keyof RuleLimitValues];

export interface LimitKey<V> {
  readonly type: ValueType<V>;
  readonly doc: string;
  readonly aliases: readonly string[];
  readonly limit: LimitReader;
}

const numeric = (
  limit: LimitOf<number>,
  type: ValueType<number>,
  doc: string,
  aliases: readonly string[] = [],
): LimitKey<number> => ({
  type,
  doc,
  aliases,
  limit: (text, scope) => {
    const parsed = type.parse(text);
    return parsed.ok ? { limit, value: parsed.value, ...scope } : undefined;
  },
});

const flag = (limit: LimitOf<boolean>, doc: string, aliases: readonly string[] = []): LimitKey<boolean> => ({
  type: yesOrNo,
  doc,
  aliases,
  limit: (text, scope) => {
    const parsed = yesOrNo.parse(text);
    return parsed.ok && parsed.value ? { limit, value: true, ...scope } : undefined;
  },
});

const large = (limit: LimitOf<bigint>, doc: string, aliases: readonly string[] = []): LimitKey<bigint> => ({
  type: bytes64,
  doc,
  aliases,
  limit: (text, scope) => {
    const parsed = bytes64.parse(text);
    return parsed.ok ? { limit, value: parsed.value, ...scope } : undefined;
  },
});

/** The keys of `[Device …]` that are limits of a participant, each under the contract's name for it. */
export const DEVICE_LIMITS = {
  PitchMultiple: numeric('pitch-multiple', bytes32, 'Every pitch is a multiple of it.', [
    'PitchAlign',
    'PitchAlignment',
    'StrideAlign',
    'StrideAlignment',
    'StrideMultiple',
  ]),
  PitchExact: numeric(
    'pitch-exact',
    bytes32,
    'Every pitch is exactly the bytes of a row rounded up to this multiple, and nothing larger.',
    ['StrideExact'],
  ),
  PitchMin: numeric('pitch-min', bytes32, 'The smallest pitch.', ['MinPitch', 'MinStride']),
  PitchMax: numeric('pitch-max', bytes32, 'The largest pitch.', ['MaxPitch', 'MaxStride']),
  PitchLinked: flag(
    'pitch-linked',
    "The pitches of the other planes follow that of the first by the format's ratio.",
    ['LinkedPitch'],
  ),
  OffsetMultiple: numeric('offset-multiple', bytes32, 'The offset of every plane is a multiple of it.', [
    'OffsetAlign',
    'OffsetAlignment',
  ]),
  HeightMultiple: numeric(
    'height-multiple',
    count,
    'The rows of the image are rounded up to a multiple of it, before those of a subsampled plane are reckoned.',
    ['HeightAlign', 'HeightAlignment'],
  ),
  SizeMultiple: large('size-multiple', 'The size of the whole buffer is a multiple of it.', [
    'SizeAlign',
    'SizeAlignment',
  ]),
  MaxWidth: numeric('max-width', count, 'The widest image, in pixels.', ['WidthMax']),
  MaxHeight: numeric('max-height', count, 'The highest image, in pixels.', ['HeightMax']),
  AddressBits: numeric(
    'address-bits',
    wholeNumber(1, 64),
    'The device reaches memory below this power of two only.',
    ['DmaBits', 'DmaMask'],
  ),
  MinBuffers: numeric('min-buffers', count, 'Buffers that the device holds on to at once.', [
    'Buffers',
    'BufferCount',
  ]),
  Protected: flag('protected', 'Whether the device takes protected memory only.', ['Secure']),
} as const;
