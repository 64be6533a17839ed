import type { CpuAccess } from '../../dbus/names.js';
import type { Layout } from '../constraints/constraint-types.js';

/** Who asks. A unique name means nothing without the bus that gave it. */
export interface Owner {
  /** Id of the bus. */
  readonly bus: string;
  /** Unique name on it. */
  readonly name: string;
  readonly uid: number;
  /** The user whose share and quotas this one uses, where that is another (subuid(5)). */
  readonly payer?: number;
  /** Name of the user, where the machine has one for it. */
  readonly user?: string;
  /** Names of the groups that it was in when it first called. */
  readonly groups: readonly string[];
  /** systemd unit, for a person; empty when unknown. */
  readonly unit: string;
}

/** The user that an owner counts as. */
export const payerOf = ({ uid, payer }: Pick<Owner, 'uid' | 'payer'>): number => payer ?? uid;

/** A layout with what the reply adds to it. */
export interface GrantedLayout extends Layout {
  readonly count: number;
  /** Handle. */
  readonly pool: string;
  readonly cpuAccess: CpuAccess;
}

export interface AllocationView {
  readonly id: string;
  readonly owner: Owner;
  readonly label: string;
  readonly layout: GrantedLayout;
  /** Bytes of all its buffers that count. */
  readonly size: bigint;
  /** Microseconds since the epoch. */
  readonly created: bigint;
  readonly state: 'held' | 'orphaned';
}
