import { describe, expect, it } from 'vitest';

import { errorReply, StandardError } from '../../../daemon/bus/error-reply.js';
import { Refusals } from '../../../daemon/bus/refusals.js';
import type { Owner } from '../../../daemon/broker/broker-types.js';
import type { Details } from '../../../daemon/base/log.js';
import type { IncomingCall, WireValue } from '../../../dbus/connection/bus-types.js';
import { BrokerError } from '../../../dbus/errors.js';
import { allocationPath } from '../../../dbus/names.js';
import { naming } from '../../harness/naming.js';

const owner = (name: string, uid = 1000, unit = ''): Owner => ({ bus: 'b', name, uid, groups: [], unit });

const noFd = (): never => {
  throw new Error('there is none');
};

const callOf = (member: string, signature: string, body: readonly WireValue[]): IncomingCall => ({
  sender: ':1.1',
  path: '/',
  interface: '',
  member,
  signature,
  body,
  fds: { count: 0, take: noFd, takeAll: () => [] },
  expectsReply: true,
  allowsInteraction: false,
  overChannel: false,
  reply: () => undefined,
  error: () => undefined,
  holdFurther: () => undefined,
});

const PING = callOf('Allocate', '', []);
const wrong = new BrokerError('InvalidRequest', 'count: 0 was given');

interface Line extends Details {
  readonly level: 'info' | 'error';
  readonly text: string;
}

function rig(): { lines: Line[]; refusals: Refusals; clock: { now: number }; refuse: Refuse } {
  const lines: Line[] = [];
  const clock = { now: 0 };
  const say =
    (level: Line['level']) =>
    (details: Details, text: string): void =>
      void lines.push({ ...details, level, text });
  const refusals = new Refusals({ info: say('info'), error: say('error') }, () => clock.now);
  const refuse: Refuse = (caller, times = 1, error = wrong, call = PING) => {
    for (let i = 0; i < times; i++) refusals.tell(call, caller, error, errorReply(error));
  };
  return { lines, refusals, clock, refuse };
}

type Refuse = (caller: Owner, times?: number, error?: Error, call?: IncomingCall) => void;

describe('refusals in the log', () => {
  it('say who was refused what, and why', () => {
    const { lines, refuse } = rig();
    refuse(owner(':1.7', 1000, 'app-viewer.scope'));
    expect(lines).toEqual([
      {
        level: 'info',
        event: 'call-refused',
        text: expect.stringContaining(wrong.message) as string,
        code: 'InvalidRequest',
        member: 'Allocate',
        client: ':1.7',
        uid: 1000,
        unit: 'app-viewer.scope',
      },
    ]);
  });

  it('have the code of the specification where it is one of its errors', () => {
    const { lines, refuse } = rig();
    refuse(owner(':1.7'), 1, new StandardError('org.freedesktop.DBus.Error.UnknownMethod', 'no'));
    expect(lines).toMatchObject([{ event: 'call-refused', code: 'UnknownMethod' }]);
    expect(lines[0]).not.toHaveProperty('unit');
  });

  it('have the cause of a mistake of ours, which the client does not learn', () => {
    const { lines, refuse } = rig();
    const mistake = new Error('ENOENT /secret');
    refuse(owner(':1.7'), 1, mistake);
    expect(lines).toMatchObject([{ level: 'error', event: 'call-failed', code: 'Internal', err: mistake }]);
    expect(errorReply(mistake).message).not.toContain('secret');
  });

  it('name the devices and the allocation that a call is about', () => {
    const { lines, refuse } = rig();
    const devices = ['cpu', '/dev/video0', 'cpu'].map((name) => [name, []]);
    const many = Array.from({ length: 64 }, (_, i) => [`/dev/video${i}`, []]);
    refuse(owner(':1.7'), 1, wrong, callOf('Allocate', 'a(sa{sv})a{sv}', [devices, []]));
    refuse(owner(':1.7'), 1, wrong, callOf('Explain', 'a(sa{sv})a{sv}', [many, []]));
    refuse(owner(':1.7'), 1, wrong, callOf('Release', 'o', [allocationPath('12ab')]));
    refuse(owner(':1.7'), 1, wrong, callOf('Release', 'o', ['/elsewhere']));
    refuse(owner(':1.7'), 1, wrong, callOf('Release', 's', ['text']));
    expect(lines.map(({ device, allocation }) => ({ device, allocation }))).toEqual([
      { device: ['cpu', '/dev/video0'] },
      { device: many.slice(0, 8).map(([name]) => name) },
      { allocation: '12ab' },
      {},
      {},
    ]);
  });

  it('are shown ten times of a client at once, and then with how many were not', () => {
    const { lines, clock, refuse } = rig();
    refuse(owner(':1.7'), 100);
    expect(lines).toHaveLength(10);
    refuse(owner(':1.8'));
    expect(lines.at(-1)).toMatchObject({ client: ':1.8' });
    clock.now = 10_000;
    refuse(owner(':1.7'), 2);
    expect(lines).toHaveLength(12);
    expect(lines.at(-1)).toMatchObject({ client: ':1.7', hidden: 90 });
  });

  it('that were not shown are summed up when their client leaves', () => {
    const { lines, refusals, refuse } = rig();
    refuse(owner(':1.7', 1000, 'app-viewer.scope'), 13);
    refusals.forget(':1.7');
    refusals.forget(':1.7');
    refusals.forget(':1.99');
    expect(lines.slice(10)).toEqual([
      {
        level: 'info',
        event: 'refusals-hidden',
        text: expect.stringMatching(naming(3)) as string,
        client: ':1.7',
        uid: 1000,
        unit: 'app-viewer.scope',
        hidden: 3,
      },
    ]);
    // A new connection has a new allowance.
    refuse(owner(':1.7'));
    expect(lines.at(-1)).not.toHaveProperty('hidden');
  });

  it('are no more for a user who comes again as another client each time', () => {
    const { lines, clock, refusals, refuse } = rig();
    for (let i = 0; i < 500; i++) {
      refuse(owner(`:1.${i}`), 20);
      refusals.forget(`:1.${i}`);
    }
    expect(lines).toHaveLength(60);
    const shown = lines.filter(({ event }) => event === 'call-refused').length;
    const summed = lines.reduce((sum, { hidden }) => sum + Number(hidden ?? 0), 0);
    refuse(owner(':1.900', 1001));
    expect(lines.at(-1)).toMatchObject({ uid: 1001 });
    expect(lines.at(-1)).not.toHaveProperty('hidden');
    clock.now = 1_000;
    refuse(owner(':1.901'));
    expect(lines.at(-1)).toMatchObject({ client: ':1.901', hidden: 500 * 20 - shown - summed });
  });

  it('are counted for no more users than a machine has', () => {
    const { lines, refusals, refuse } = rig();
    for (let i = 0; i < 61; i++) {
      refuse(owner(`:1.${i}`, 1), 11);
      refusals.forget(`:1.${i}`);
    }
    const before = lines.length;
    for (let uid = 2; uid < 1024 + 2; uid++) refuse(owner(`:2.${uid}`, uid));
    const summed = lines.slice(before).filter(({ event }) => event === 'refusals-hidden');
    expect(summed).toMatchObject([{ uid: 1 }]);
    expect(summed[0]).not.toHaveProperty('client');
  });

  it('that nobody was shown are told of at the end, of those who are there and of those who left', () => {
    const { lines, refusals, refuse } = rig();
    refuse(owner(':1.7'), 12);
    for (let i = 0; i < 60; i++) refuse(owner(`:2.${i}`, 1001));
    refuse(owner(':3.1', 1001), 4);
    refusals.forget(':3.1');
    const before = lines.length;
    refusals.close();
    refusals.close();
    expect(lines.slice(before)).toMatchObject([
      { event: 'refusals-hidden', client: ':1.7', uid: 1000, hidden: 2 },
      { event: 'refusals-hidden', uid: 1001, hidden: 4 },
    ]);
  });
});
