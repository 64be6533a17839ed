import { ERRORS, type ErrorCode } from '../../../dbus/errors.js';
import type { End } from './party-types.js';

/** Why a party's part ends, in the words that it is told. */

/** In the words of the table of errors. */
export const endOf = (code: ErrorCode): End => ({ code, text: ERRORS[code] });

export const ABANDONED = endOf('Abandoned');
export const TIMED_OUT = endOf('TimedOut');
export const NOT_CHOSEN = endOf('NotChosen');
export const WITHDRAWN: End = { code: 'Abandoned', text: 'The token of this party was withdrawn.' };
export const LEFT: End = { code: 'Abandoned', text: 'This party has left.' };
export const CREATOR_LEFT: End = { code: 'Abandoned', text: 'The party that began this has left.' };
