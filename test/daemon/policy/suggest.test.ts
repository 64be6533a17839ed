import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from '../../../daemon/policy/suggest.js';
import { naming } from '../../harness/naming.js';

describe('nearest', () => {
  const words = ['PitchMultiple', 'PitchExact', 'Limit', 'Use'];

  it.each([
    ['pitchmultiple', 'PitchMultiple'],
    ['PitchMutliple', 'PitchMultiple'],
    ['Limits', 'Limit'],
    ['Uses', 'Use'],
  ])('takes %s for %s', (word, meant) => {
    expect(nearest(word, words)).toBe(meant);
  });

  it.each(['Colour', '', 'x'.repeat(1_000_000)])('has no idea what else %#', (word) => {
    expect(nearest(word, words)).toBeUndefined();
  });

  it('prefers what is nearer, whatever stands first', () => {
    expect(nearest('PitchMux', ['PitchMin', 'PitchMax'])).toBe('PitchMax');
  });
});

describe('didYouMean', () => {
  it('is a question, or nothing', () => {
    expect(didYouMean('Limit')).toMatch(naming('Limit'));
    expect(didYouMean(undefined)).toBe('');
  });
});
