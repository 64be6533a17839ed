import { describe, expect, it } from 'vitest';

import { findVerb, GLOBAL_OPTIONS, operandsOf, parseArguments } from '../../../client/cli/arguments.js';
import { UsageError } from '../../../client/cli/usage.js';

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
  ])('%j', (argv, verb, others) => {
    expect(findVerb(argv)).toEqual({ verb, others });
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

describe('operandsOf', () => {
  const words = (...operands: string[]) => parseArguments(operands, []);

  it('counts against what the help says', () => {
    expect(operandsOf(words('a', '1'), 'POOL BYTES')).toEqual(['a', '1']);
    expect(operandsOf(words(), '[DEVICE]')).toEqual([]);
    expect(() => operandsOf(words('a'), 'POOL BYTES')).toThrow('BYTES is missing');
    expect(() => operandsOf(words('a', 'b'), '[DEVICE]')).toThrow("what is 'b' for?");
    expect(() => operandsOf(words('a'))).toThrow("what is 'a' for?");
  });
});
