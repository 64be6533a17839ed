import { describe, expect, it } from 'vitest';

import { hurryLoop } from '../../../daemon/service/loop-delay.js';

function log() {
  const said: unknown[] = [];
  return { said, debug: (fields: unknown) => said.push(fields) };
}

describe("the event loop's priority", () => {
  it('is raised, and nothing said of it', () => {
    const { said, debug } = log();
    const set: number[] = [];
    hurryLoop({ debug }, (priority) => set.push(priority));
    expect(set).toEqual([-10]);
    expect(said).toEqual([]);
  });

  it('stays where the process may not raise it', () => {
    const { said, debug } = log();
    const err = new Error('EACCES');
    hurryLoop({ debug }, () => {
      throw err;
    });
    expect(said).toEqual([{ err }]);
  });
});
