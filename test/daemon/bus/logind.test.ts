import { describe, expect, test } from 'vitest';

import { Logind } from '../../../daemon/bus/logind.js';
import {
  BusCallError,
  BusTimeoutError,
  type MethodCall,
  type Reply,
  type WireValue,
} from '../../../dbus/connection/bus-types.js';
import { pino } from 'pino';

/** logind as it answers; an error's name is answered as that error. */
function rig(answers: Readonly<Record<number, string>>): {
  logind: Logind;
  asked: string[];
  logged: string[];
  pass: (milliseconds: number) => void;
} {
  const asked: string[] = [];
  const logged: string[] = [];
  let now = 0;
  const call = async ({ destination, path, member, body }: MethodCall): Promise<Reply> => {
    if (member === 'GetNameOwner') return { signature: 's', body: [':1.9'], fds: [] };
    expect(destination).toBe(':1.9');
    asked.push(path);
    expect(body).toEqual(['org.freedesktop.login1.User', 'State']);
    await Promise.resolve();
    const answer = answers[Number(path.split('_').at(-1))] ?? 'org.freedesktop.DBus.Error.UnknownObject';
    if (answer === 'timeout') throw new BusTimeoutError();
    if (answer.includes('.')) throw new BusCallError(answer, 'no');
    const value: WireValue = { signature: 's', value: answer };
    return { signature: 'v', body: [value], fds: [] };
  };
  const logger = pino({}, { write: (line: string) => void logged.push(line) });
  return {
    logind: new Logind({ call }, logger, () => now),
    asked,
    logged,
    pass: (milliseconds) => {
      now += milliseconds;
    },
  };
}

describe('logind', () => {
  test('says who has an active session', async () => {
    const { logind, asked, logged } = rig({ 1000: 'active', 1001: 'online', 1002: 'lingering' });
    expect(await logind.isActive(1000)).toBe(true);
    expect(await Promise.all([1001, 1002, 1003].map((uid) => logind.isActive(uid)))).toEqual([
      false,
      false,
      false,
    ]);
    expect(asked[0]).toBe('/org/freedesktop/login1/user/_1000');
    expect(logged).toEqual([]);
  });

  test('is asked once a second for a user, whoever waits for the answer', async () => {
    const answers: Record<number, string> = { 1000: 'active' };
    const { logind, asked, pass } = rig(answers);
    expect(await Promise.all([logind.isActive(1000), logind.isActive(1000)])).toEqual([true, true]);
    pass(999);
    await logind.isActive(1000);
    expect(asked).toHaveLength(1);
    answers[1000] = 'online';
    pass(1);
    expect(await logind.isActive(1000)).toBe(false);
    expect(asked).toHaveLength(2);
  });

  test('is not remembered for any number of users', async () => {
    const { logind, asked } = rig({});
    for (let uid = 0; uid < 300; uid += 1) await logind.isActive(uid);
    await logind.isActive(299);
    expect(asked).toHaveLength(300);
    await logind.isActive(0);
    expect(asked).toHaveLength(301);
  });

  test.each(['org.freedesktop.DBus.Error.ServiceUnknown', 'timeout'])(
    'that does not answer (%s) gives nobody a session, and is complained of once',
    async (answer) => {
      const { logind, logged } = rig({ 1000: answer, 1001: answer });
      expect(await Promise.all([1000, 1001].map((uid) => logind.isActive(uid)))).toEqual([false, false]);
      expect(logged).toHaveLength(1);
      expect(logged[0]).toContain('logind');
    },
  );
});
