import { describe, expect, it } from 'vitest';

import { checkOperands, findVerb, parseArguments, GLOBAL_OPTIONS } from '../../../client/cli/arguments.js';
import { UsageError } from '../../../client/cli/usage.js';
import { naming } from '../../harness/naming.js';

describe('findVerb', () => {
  it.each([
    [['status'], 'status', []],
    [['--json', 'status'], 'status', ['--json']],
    [['--bus', 'session', 'pools', '--json'], 'pools', ['--bus', 'session', '--json']],
    [['--bus=session', 'pools'], 'pools', ['--bus=session']],
    [['release', 'status'], 'release', ['status']],
    [[], undefined, []],
    [['--bus'], undefined, ['--bus']],
    [['--', 'status'], undefined, ['--', 'status']],
    [['policy', 'show'], 'policy show', []],
    [['--json', 'policy', '--bus', 'x', 'show', 'a'], 'policy show', ['--json', '--bus', 'x', 'a']],
    [['policy', 'shwo'], 'policy shwo', []],
    [['policy'], 'policy', []],
    [['policy', '--', 'show'], 'policy', ['--', 'show']],
    [['status', 'policy', 'show'], 'status', ['policy', 'show']],
  ])('%j', (argv, verb, others) => {
    expect(findVerb(argv, ['status', 'policy show', 'policy check'])).toEqual({ verb, others });
  });
});

describe('parseArguments', () => {
  const OPTIONS = [
    ...GLOBAL_OPTIONS,
    { name: 'device', value: 'D', repeats: true, text: '' },
    { name: 'width', value: 'W', text: '' },
  ];

  it('reads flags, values, repeated values, operands and what follows --', () => {
    const args = parseArguments(
      ['--json', 'a', '--device', 'x', '--device=y', '--width', '3', '--', 'ls', '--all'],
      OPTIONS,
    );
    expect(args.flag('json')).toBe(true);
    expect(args.flag('help')).toBe(false);
    expect(args.texts('device')).toEqual(['x', 'y']);
    expect(args.text('width')).toBe('3');
    expect(args.text('bus')).toBeUndefined();
    expect(args.operands).toEqual(['a']);
    expect(args.rest).toEqual(['ls', '--all']);
    expect(parseArguments([], OPTIONS).rest).toBeUndefined();
  });

  it.each([[['--depth', '3']], [['--width']], [['--json=yes']], [['-x']]])('refuses %j', (words) => {
    expect(() => parseArguments(words, OPTIONS)).toThrow(UsageError);
  });
});

/** A wrong use that names a word. */
const misused = (word: string): Error =>
  expect.objectContaining({
    name: 'UsageError',
    message: expect.stringMatching(naming(word)) as string,
  }) as Error;

describe('checkOperands', () => {
  const check =
    (operands: string | undefined, takesCommand: boolean, ...words: string[]) =>
    () => {
      const shape = { ...(operands !== undefined && { operands }), takesCommand };
      checkOperands(parseArguments(words, []), shape);
    };

  it('counts against what the help says', () => {
    expect(check('POOL BYTES', false, 'a', '1')).not.toThrow();
    expect(check('[DEVICE]', false)).not.toThrow();
    expect(check('POOL BYTES', false, 'a')).toThrow(misused('BYTES'));
    expect(check('[DEVICE]', false, 'a', 'b')).toThrow(misused("'b'"));
    expect(check(undefined, false, 'a')).toThrow(misused("'a'"));
  });

  it('takes what follows -- for a command where there may be one', () => {
    expect(check(undefined, true, '--', 'ls')).not.toThrow();
    expect(check(undefined, true, 'a', '--', 'ls')).toThrow(misused("'a'"));
    expect(check('POOL', false, '--', 'a')).not.toThrow();
    expect(check(undefined, false, '--', 'ls')).toThrow(misused("'ls'"));
  });
});
