import { LIMITS } from '../../dbus/names.js';
import { channelTable } from './channel-binding.js';
import type { BusObject } from './objects.js';
import type { Values } from './views.js';

/** The broker's object as it is over a channel. */
export class ChannelRoot implements BusObject {
  readonly path: string;
  readonly table;
  readonly #root: BusObject;

  constructor(root: BusObject) {
    this.path = root.path;
    this.table = channelTable(root.table);
    this.#root = root;
  }

  readonly values = (): Values => ({
    ...this.#root.values(),
    MaxFdsPerReply: LIMITS.buffersPerChannelCall,
  });
}
