import { StructLayout, type LayoutOptions, type MemberType } from '../../dbus/native/layout.js';

/** A struct of the kernel's headers, under its C name. */
export class KernelStruct<Member extends string> extends StructLayout<Member> {
  /** Without `struct`. */
  readonly name: string;
  readonly members: readonly Member[];

  constructor(name: string, members: Readonly<Record<Member, MemberType>>, options: LayoutOptions = {}) {
    super(members, options);
    this.name = name;
    this.members = Object.keys(members) as Member[];
  }

  /** One struct with these members; the others are 0. */
  make(values: Readonly<Partial<Record<Member, number | bigint>>>): Buffer {
    const bytes = Buffer.alloc(this.size);
    for (const member of this.members) {
      const value = values[member];
      if (value !== undefined) this.write(bytes, 0, member, value);
    }
    return bytes;
  }
}
