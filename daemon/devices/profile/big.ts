const U64 = 2n ** 64n;

/** Whether the text of digits is a number of 64 bits. */
export const isU64 = (text: string): boolean => /^(0x[0-9a-f]+|\d+)$/.test(text) && BigInt(text) < U64;

/** An address or a modifier, whose bits tell more than its size does. */
export const hexadecimal = (value: bigint): string => `0x${value.toString(16)}`;
