/**
 * What `c/echo.c` does, by this project's connection and nothing else of it: the least that a service under Node.js costs.
 * Usage: node-echo.js ADDRESS
 */
import { connectBus, requestName } from '../../dbus/connection/bus.js';
import { newMemfd } from '../harness/sockets.js';
import { ECHO } from './echo.js';

const [, , address = ''] = process.argv;
const bus = await connectBus(address);
const memory = newMemfd('echo');
bus.handleCalls((call) => {
  if (call.member === 'Descriptor') call.reply('h', [memory.dup()]);
  else call.reply();
});
await requestName(bus, ECHO.node);
process.stdout.write('ready\n');
