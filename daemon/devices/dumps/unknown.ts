import type { Fact } from '../inventory.js';

/** The source of a value that no dump says: it stands in for what is not known, and promises least. */
const UNKNOWN = 'unknown';

export const isUnknown = ({ source }: Fact<unknown>): boolean => source === UNKNOWN;

/** A value that stands in. */
export const standIn = <T>(value: T): Fact<T> => ({ value, source: UNKNOWN });
