/** One figure of each, as bars with their names and values. */
import { escape } from './escape.mjs';
import { fixed } from './marks.mjs';
import { WIDTH } from './plot.mjs';

const LEFT = 170;
const RIGHT = WIDTH - 80;
const TOP = 34;
const ROW = 24;

/**
 * @param {string} title
 * @param {readonly { name: string, value: number, text: string, isOurs: boolean }[]} bars
 */
export function renderBars(title, bars) {
  const longest = Math.max(...bars.map(({ value }) => value));
  const height = TOP + bars.length * ROW + 6;
  const rows = bars.map(({ name, value, text, isOurs }, index) => {
    const y = TOP + index * ROW;
    const width = ((RIGHT - LEFT) * value) / longest;
    return (
      `<text class="name" x="${LEFT - 8}" y="${y + 15}" text-anchor="end">${escape(name)}</text>` +
      `<rect class="${isOurs ? 'bar ours' : 'bar'}" x="${LEFT}" y="${y + 3}" width="${fixed(Math.max(width, 1))}" height="${ROW - 7}"/>` +
      `<text class="tick" x="${fixed(LEFT + width + 6)}" y="${y + 15}">${escape(text)}</text>`
    );
  });
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}">`,
    `<text class="title" x="0" y="18">${escape(title)}</text>`,
    ...rows,
    '</svg>',
  ].join('\n');
}
