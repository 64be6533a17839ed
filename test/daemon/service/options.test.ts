import { afterEach, describe, expect, it, vi } from 'vitest';

import { busKindOf, parseOptions } from '../../../daemon/service/options.js';

const options = (...args: string[]): unknown => {
  const line = parseOptions(args, '1.2.3');
  return line.run ? line.options : line.exitCode;
};

describe('parseOptions', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('serves this machine on the system bus when nothing is said', () => {
    expect(options()).toEqual({
      bus: 'system',
      replace: false,
      root: '',
      logLevel: 'info',
      check: false,
    });
  });

  it('takes every option', () => {
    const args =
      '--bus unix:path=/x --replace --root /image --profile p.json --state-dir /s --log-level debug --check';
    expect(options(...args.split(' '))).toEqual({
      bus: 'unix:path=/x',
      replace: true,
      root: '/image',
      profile: 'p.json',
      stateDir: '/s',
      logLevel: 'debug',
      check: true,
    });
  });

  it('prints help and version instead of running', () => {
    const printed: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
    expect(options('--version')).toBe(0);
    expect(options('--help')).toBe(0);
    expect(printed[0]).toBe('1.2.3\n');
    expect(printed[1]).toContain('--log-level <LEVEL>');
  });

  it.each([['--nonsense'], ['--log-level', 'loud'], ['--bus'], ['word']])('refuses %j', (...args) => {
    const printed: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
    expect(options(...args)).toBe(2);
    expect(printed.join('')).toContain('error:');
  });
});

describe('busKindOf', () => {
  it('tells names from addresses', () => {
    expect(['system', 'session', 'unix:path=/run/dbus/system_bus_socket'].map(busKindOf)).toEqual([
      'system',
      'session',
      'address',
    ]);
  });
});
