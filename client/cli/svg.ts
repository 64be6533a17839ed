/** A small writer of SVG: elements are text, and whatever comes from elsewhere is escaped. */

export type Attributes = Readonly<Record<string, string | number>>;

/** An element as text; `children` are elements, or text that went through `escapeXml`. */
export function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${escapeXml(valueText(value))}"`,
  );
  const start = `<${name}${written.join('')}`;
  return children.length === 0 ? `${start}/>` : `${start}>${children.join('')}</${name}>`;
}

/** A line of text. */
export const label = (text: string, x: number, y: number, style = ''): string =>
  element('text', { x, y, ...(style !== '' && { class: style }) }, [escapeXml(text)]);

/** No more digits than a screen shows. */
const valueText = (value: string | number): string =>
  typeof value === 'string' ? value : String(Math.round(value * 10) / 10);

/** Control characters are none of XML's, whatever is written for them. */
export const escapeXml = (text: string): string =>
  text
    .replace(/\p{C}/gu, '\u{fffd}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
