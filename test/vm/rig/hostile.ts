/** All hostile clients, as whoever runs this; prints what they did. */
import { runAll } from '../../harness/hostile/run.js';

const { address, target } = JSON.parse(process.argv[2] ?? '') as { address: string; target: string };
process.stdout.write(JSON.stringify(await runAll(address, target)));
