/** Attacks as the user that this process is, until its standard input ends. */
import { Attacker } from '../harness/hostile/attacker.js';
import { ATTACKS } from './attacks.js';

const [name = '', address = '', target = ''] = process.argv.slice(2);
const attack = ATTACKS[name];
if (attack === undefined) throw new Error(`there is no attack called ${name}`);
const stop = new AbortController();
process.stdin.resume().once('end', () => {
  stop.abort();
  // What waits for an answer would wait for ever.
  setTimeout(() => process.exit(0), 100);
});
const attacker = new Attacker(address, target);
process.stdout.write('attacking\n');
await attack(attacker, stop.signal);
process.stdout.write('done\n');
