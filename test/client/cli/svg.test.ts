import { describe, expect, it } from 'vitest';

import { element, escapeXml, label } from '../../../client/cli/svg.js';

describe('element', () => {
  it('writes attributes, and children between', () => {
    expect(element('rect', { x: 1, width: 2.345, fill: '#fff' })).toBe(
      '<rect x="1" width="2.3" fill="#fff"/>',
    );
    expect(element('g', {}, [element('a', {}), 'b'])).toBe('<g><a/>b</g>');
  });

  it('lets no text out of where it stands', () => {
    expect(label('<script>&"\u0007', 0, 1, 'a"b')).toBe(
      '<text x="0" y="1" class="a&quot;b">&lt;script&gt;&amp;&quot;\u{fffd}</text>',
    );
    expect(escapeXml('×é')).toBe('×é');
  });
});
