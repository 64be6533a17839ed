const MIB = 2 ** 20;

/** What the D-Bus specification fixes (Message Protocol; Marshaling). Sizes in bytes. */
export const WIRE_LIMITS = {
  message: 128 * MIB,
  array: 64 * MIB,
  signature: 255,
  name: 255,
  /** Array codes directly inside one another, and open parentheses, in a signature. */
  nesting: 32,
  /** Containers inside one another in a value, variants counted. */
  depth: 64,
} as const;

/** Bytes; a call with a longer header is refused, and not stored. Names have at most 255 bytes each, so that only a path fills this. */
export const MAX_HEADER_BYTES = 65_536;

/** What one message may cost to decode. */
export interface DecodeBudget {
  /** Bytes of the body; a longer one is skipped, not stored. */
  readonly body: number;
  /** Values in the body, as `ReadLimits` counts them. */
  readonly values: number;
}

/**
 * For calls and signals, which strangers send: more than twice what the contract's largest request needs (64 entries of
 * 32 keys, 4,096 modifiers), and decoded in two milliseconds.
 */
export const STRANGERS_BUDGET: DecodeBudget = { body: MIB / 2, values: 32_768 };

/**
 * For calls over a channel, of which a user can have many, each with the start of a message: more than any request needs
 * that names its devices and limits once.
 */
export const CHANNEL_BUDGET: DecodeBudget = { body: MIB / 8, values: 32_768 };

/** For replies, which we asked for: all that the specification allows. */
export const REPLY_BUDGET: DecodeBudget = { body: WIRE_LIMITS.message, values: Infinity };
