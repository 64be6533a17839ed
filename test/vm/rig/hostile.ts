/** Hostile clients, as whoever runs this; prints what they did. */
import { runAll, type Orders } from '../../harness/hostile/run.js';

const orders = JSON.parse(process.argv[2] ?? '') as Orders;
process.stdout.write(JSON.stringify(await runAll(orders)));
