import { Prepared } from '../../dbus/connection/prepared.js';
import type { WireValue } from '../../dbus/connection/types.js';
import type { Explanation, GrantedLayout } from '../broker/types.js';
import { explanationDict, layoutDict } from './replies.js';

type PreparedDict = Prepared<readonly WireValue[]>;

/** Replies that the broker gives again and again as the same value: made and marshalled once. */
export class PreparedReplies {
  readonly #known = new WeakMap<GrantedLayout | Explanation, PreparedDict>();

  layout(layout: GrantedLayout): PreparedDict {
    return this.#known.get(layout) ?? this.#keep(layout, layoutDict(layout));
  }

  explanation(explanation: Explanation): PreparedDict {
    return this.#known.get(explanation) ?? this.#keep(explanation, explanationDict(explanation));
  }

  #keep(of: GrantedLayout | Explanation, dict: readonly WireValue[]): PreparedDict {
    const prepared = new Prepared(dict);
    this.#known.set(of, prepared);
    return prepared;
  }
}
