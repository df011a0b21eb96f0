/** Lines as inline SVG: each has a mark, a stroke and its name at its end, so that no colour is needed. */
import { formatTick } from '../text.mjs';
import { escape } from './escape.mjs';
import { dashOf, fixed, markAt } from './marks.mjs';

/** @typedef {import('./scales.mjs').Scale} Scale */

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {number} style which mark, stroke and colour
 * @property {readonly { x: number, y: number, text: string }[]} points those with a text have a mark, which tells it
 */

/**
 * @typedef {object} Plot
 * @property {string} title
 * @property {string} xLabel
 * @property {string} yLabel
 * @property {readonly Line[]} lines
 * @property {(domain: readonly [number, number]) => Scale} xScale takes the place for the axis
 * @property {(domain: readonly [number, number]) => Scale} yScale
 * @property {(value: number) => string} formatX
 * @property {(value: number) => string} formatY of points
 */

export const WIDTH = 620;
export const HEIGHT = 400;
const LEFT = 62;
const RIGHT = WIDTH - 168;
const TOP = 46;
const BOTTOM = HEIGHT - 48;
/** Between names at the ends of lines. */
const LINE_HEIGHT = 16;

/** @param {Plot} plot */
export function renderPlot({ title, xLabel, yLabel, lines, xScale, yScale, formatX }) {
  const x = xScale([LEFT, RIGHT]);
  const y = yScale([BOTTOM, TOP]);
  const parts = [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">`,
    `<text class="title" x="0" y="18">${escape(title)}</text>`,
    ...x.ticks.map((tick) => {
      const place = fixed(x.place(tick));
      return (
        `<line class="grid" x1="${place}" x2="${place}" y1="${TOP}" y2="${BOTTOM}"/>` +
        `<text class="tick" x="${place}" y="${BOTTOM + 17}" text-anchor="middle">${escape(formatX(tick))}</text>`
      );
    }),
    ...y.ticks.map((tick) => {
      const place = y.place(tick);
      return (
        `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${fixed(place)}" y2="${fixed(place)}"/>` +
        `<text class="tick" x="${LEFT - 7}" y="${fixed(place + 4)}" text-anchor="end">${escape(formatTick(tick))}</text>`
      );
    }),
    `<text class="label" x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escape(xLabel)}</text>`,
    `<text class="label" x="0" y="${TOP - 12}">${escape(yLabel)}</text>`,
    // The first line is ours more often than not: it is drawn last, above the others.
    ...lines.toReversed().map((line) => renderLine(line, x, y)),
    ...renderNames(lines, y),
    '</svg>',
  ];
  return parts.join('\n');
}

/** @param {Line} line @param {Scale} x @param {Scale} y */
function renderLine({ style, points }, x, y) {
  const path = points.map((point) => `${fixed(x.place(point.x))},${fixed(y.place(point.y))}`).join(' ');
  const dash = dashOf(style);
  const marks = points
    .filter(({ text }) => text !== '')
    .map((point) => `<g><title>${escape(point.text)}</title>${markAt(style, x.place(point.x), y.place(point.y))}</g>`);
  return (
    `<g class="line s${style}"><polyline points="${path}"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}/>` +
    `${marks.join('')}</g>`
  );
}

/** Names at the ends of lines, apart from each other, each with its mark. @param {readonly Line[]} lines @param {Scale} y */
function renderNames(lines, y) {
  const ends = lines
    .map(({ name, style, points }) => ({ name, style, wanted: y.place(points.at(-1)?.y ?? NaN) }))
    .filter(({ wanted }) => Number.isFinite(wanted))
    .toSorted((a, b) => a.wanted - b.wanted);
  const places = spread(ends.map(({ wanted }) => wanted));
  return ends.map(({ name, style, wanted }, index) => {
    const place = places[index] ?? wanted;
    return (
      `<line class="leader" x1="${RIGHT + 3}" y1="${fixed(wanted)}" x2="${RIGHT + 16}" y2="${fixed(place)}"/>` +
      `<g class="line s${style}">${markAt(style, RIGHT + 23, place)}</g>` +
      `<text class="name" x="${RIGHT + 32}" y="${fixed(place + 4)}">${escape(name)}</text>`
    );
  });
}

/** Moves ascending places apart, as little as that takes, and keeps them inside. @param {readonly number[]} wanted */
function spread(wanted) {
  const places = [...wanted];
  for (let i = 1; i < places.length; i++) {
    places[i] = Math.max(places[i] ?? 0, (places[i - 1] ?? 0) + LINE_HEIGHT);
  }
  let limit = BOTTOM;
  for (let i = places.length - 1; i >= 0; i--) {
    places[i] = Math.min(places[i] ?? 0, limit);
    limit = (places[i] ?? 0) - LINE_HEIGHT;
  }
  return places;
}
