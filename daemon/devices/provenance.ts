import type { Provenance } from './profile/schema.js';

/** How a person is told that a machine is not this one, and what is behind its profile. */
export function provenanceText(provenance: Provenance | undefined): string {
  switch (provenance?.kind) {
    case 'recorded':
      return `a profile that was recorded on ${provenance.at.slice(0, 10)}, on Linux ${provenance.kernel}`;
    case 'imported':
      return `a profile made from what other tools printed: ${provenance.from.join('; ')}`;
    case 'constructed':
      return `a profile constructed from documentation, recorded on no machine: ${provenance.from.join('; ')}`;
    case undefined:
      return 'a profile that does not say where it comes from';
  }
}

/** How the warning begins with which a daemon says that it works on a profile. */
export const ON_PROFILE = 'this machine is ';

/** The warnings of a machine that was recorded nowhere: its answers are as good as what it was made from. */
export const provenanceWarnings = (provenance: Provenance | undefined): readonly string[] =>
  provenance?.kind === 'recorded' ? [] : [ON_PROFILE + provenanceText(provenance)];
