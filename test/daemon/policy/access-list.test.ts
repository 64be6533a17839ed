import { describe, expect, it } from 'vitest';
import { access } from '../../../daemon/policy/access-list.js';

describe('access', () => {
  it.each([
    ['users', [{ kind: 'users' }]],
    ['active-session', [{ kind: 'active-session' }]],
    ['administrator', [{ kind: 'administrator' }]],
    ['group:video', [{ kind: 'group', name: 'video' }]],
    ['active-session  group:video', [{ kind: 'active-session' }, { kind: 'group', name: 'video' }]],
  ])('reads %s', (text, value) => {
    expect(access.parse(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['', 0, undefined],
    ['user', 0, 'users'],
    ['active_session', 0, 'active-session'],
    ['users root', 6, undefined],
    ['group:', 0, undefined],
    ['group:a/b', 0, undefined],
  ])('refuses "%s" at %i', (text, offset, suggestion) => {
    const parsed = access.parse(text);
    expect(parsed).toMatchObject({ ok: false, offset });
    expect('suggestion' in parsed ? parsed.suggestion : undefined).toBe(suggestion);
  });

  it('prints what it read', () => {
    const parsed = access.parse(' users   group:video ');
    expect(parsed.ok && access.print(parsed.value)).toBe('users group:video');
  });
});
