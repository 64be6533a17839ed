import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { busKinds, permissiveConfig } from '../harness/private-bus.js';
import { CALL, ERROR, field, marshal, REPLY } from '../harness/raw-message.js';
import { answerTo, expectError, HostileRig } from './hostile-rig.js';
import { ROWS, unheard, UNHEARD } from '../harness/hostile/messages.js';
import { CPU, image, PAGE, request, REQUEST_TYPE, u } from '../harness/hostile/values.js';

/** Lets replies through that nobody asked for, so that they reach the daemon. */
const LETS_REPLIES_THROUGH = permissiveConfig(`
  <allow send_requested_reply="false" send_type="method_return"/>
  <allow send_requested_reply="false" send_type="error"/>
  <allow receive_requested_reply="false" receive_type="method_return"/>
  <allow receive_requested_reply="false" receive_type="error"/>`);

describe.each(busKinds())('on %s', (kind) => {
  let rig: HostileRig;
  beforeAll(async () => {
    rig = await HostileRig.start({ kind, config: LETS_REPLIES_THROUGH });
  });
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
  });

  it.each(ROWS)('%s', async (_title, message, outcome) => {
    {
      await using attacker = await rig.connect();
      const answer = await rig.ask(attacker, message);
      if (outcome === 'ended') expect(answer).toEqual({ kind: 'disconnected' });
      else if (outcome === 'given') expect(answer).toMatchObject({ kind: 'reply', fds: 1 });
      else {
        const name = outcome === 'refused' ? 'InvalidArgs' : 'LimitsExceeded';
        expectError(answer, `org.freedesktop.DBus.Error.${name}`, '');
        // A bus that refuses it itself would leave the daemon untried.
        expect(answer).toMatchObject({ from: rig.target });
      }
    }
    await rig.expectUnharmed();
  });

  it.each(UNHEARD)('%s with %s is not heard', async (_kind, _what, type, signature, body) => {
    {
      await using attacker = await rig.connect();
      await rig.tell(attacker, unheard(type, signature, body, rig.target));
    }
    await rig.expectUnharmed();
  });

  it('answers to guessed serials do not end what the daemon asked the bus', async () => {
    for (let round = 0; round < 10; round++) {
      await using attacker = await rig.connect();
      await using newcomer = await rig.connect();
      const serial = await newcomer.sendMessage(request('Allocate', CPU, PAGE));
      for (let guess = 1; guess <= 500; guess++) {
        const forged = unheard(guess % 2 === 0 ? REPLY : ERROR, 's', marshal('s', ['forged']), rig.target);
        const fields = (forged.fields ?? []).filter(({ code }) => code !== field.replySerial(1).code);
        await rig.send(attacker, { ...forged, fields: [...fields, field.replySerial(guess)] });
      }
      expect(await answerTo(newcomer, serial)).toMatchObject({ kind: 'reply', fds: 1 });
    }
    await rig.expectUnharmed();
  });

  it('a big-endian call is answered like any other', async () => {
    {
      await using client = await rig.connect();
      const body = marshal(REQUEST_TYPE, [CPU, image(u('count', 2))], false);
      const { fields = [] } = request('Allocate', CPU, PAGE);
      const answer = await rig.ask(client, { type: CALL, order: 'B', fields, body });
      expect(answer).toMatchObject({ kind: 'reply', fds: 2 });
    }
    await rig.expectUnharmed();
  });
});
