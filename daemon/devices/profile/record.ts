import type { Inventory } from '../inventory.js';
import { profileFromInventory } from './write.js';

/**
 * The profile of a machine as it was read, for `dmabrokerctl record`: kernel facts, without policy's rules.
 * @param now when it was read
 */
export const recordProfile = (inventory: Inventory, now: Date): string =>
  profileFromInventory(inventory, {
    kind: 'recorded',
    at: now.toISOString(),
    kernel: inventory.machine.kernel,
  });
