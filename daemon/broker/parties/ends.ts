import type { End } from './party-types.js';

/** Why a party's part ends, in the words that it is told. */

export const ABANDONED: End = { code: 'Abandoned', text: 'A party on which this one depended has left.' };
export const WITHDRAWN: End = { code: 'Abandoned', text: 'The token of this party was withdrawn.' };
export const TIMED_OUT: End = { code: 'TimedOut', text: 'A party did not say in time what it needs.' };
export const NOT_CHOSEN: End = {
  code: 'NotChosen',
  text: 'Another party was chosen in the place of this one, or it did not fit with those before it.',
};
export const CREATOR_LEFT: End = { code: 'Abandoned', text: 'The party that began this has left.' };
