import { closeAll } from '../../../../dbus/owned-fd.js';
import type { Owner } from '../../../../daemon/broker/broker-types.js';
import type {
  BufferSpec,
  PartyBuffers,
  PartyView,
  Proposal,
} from '../../../../daemon/broker/parties/party-types.js';
import { entry, makeRig, OWNER, type Rig, type RigOptions } from '../rig.js';

/** An image of 64 × 64 in XR24: four pages. */
export const IMAGE: BufferSpec = { content: { width: 64, height: 64 }, formats: ['XR24'] };

export const NOTHING: Proposal = { alternatives: [[]], keep: true };

/** One alternative: the CPU, which holds so many buffers. */
export const holding = (buffers: number, more: Partial<Proposal> = {}): Proposal => ({
  alternatives: [[entry('cpu', { uses: ['read'], limits: { 'min-buffers': buffers } })]],
  keep: true,
  ...more,
});

/** A connection with one party. */
export class Guest {
  readonly rig: Rig;
  readonly owner: Owner;
  readonly id: string;

  constructor(rig: Rig, owner: Owner, id: string) {
    this.rig = rig;
    this.owner = owner;
    this.id = id;
  }

  get view(): PartyView | undefined {
    return this.rig.broker.parties.views().find(({ id }) => id === this.id);
  }

  get state(): string | undefined {
    return this.view?.state;
  }

  invite(
    part: 'must' | 'may' | 'late' = 'must',
    { count = 1, isOneOf = false, invites = 0, uid = this.owner.uid, label = '' } = {},
  ): readonly string[] {
    return this.rig.broker.parties.invite(this.owner, this.id, count, { part, invites, uid, label }, isOneOf);
  }

  constrain(proposal: Proposal): void {
    this.rig.broker.parties.constrain(this.owner, this.id, proposal);
  }

  /** The buffers, whose descriptors are closed again. */
  async buffers(first = 0): Promise<Omit<PartyBuffers, 'fds' | 'delivered'> & { readonly fds: number }> {
    const { layout, generation, fds, delivered } = await this.rig.broker.parties.buffers(
      this.owner,
      this.id,
      first,
    );
    delivered();
    closeAll(fds);
    return { layout, generation, fds: fds.length };
  }

  renew(spec: BufferSpec = IMAGE): void {
    this.rig.broker.parties.renew(this.owner, this.id, spec, undefined);
  }

  leave(): void {
    this.rig.broker.parties.leave(this.owner, this.id);
  }

  /** Its connection is gone. */
  vanish(): void {
    this.rig.broker.ownerLeft(this.owner.bus, this.owner.name);
  }
}

export interface PartiesRig {
  readonly rig: Rig;
  readonly first: Guest;
  readonly join: (token: string | undefined, more?: Partial<Owner>) => Guest;
}

/** A collection that was just begun; every guest has a connection of its own. */
export function partiesRig(
  spec: BufferSpec = IMAGE,
  { owner: more, ...options }: RigOptions & { readonly owner?: Partial<Owner> } = {},
): PartiesRig {
  const rig = makeRig(options);
  let names = 1;
  const creator = { ...OWNER, ...more };
  const first = new Guest(rig, creator, rig.broker.parties.negotiate(creator, spec, 5000));
  return {
    rig,
    first,
    join: (token = '', more = {}) => {
      const owner = { ...OWNER, name: `:1.${(names += 1)}`, ...more };
      return new Guest(rig, owner, rig.broker.parties.join(owner, token));
    },
  };
}
