/** Lines as inline SVG, each with its name at its end and a dash of its own, so that no colour is needed. */

/** One line of a plot; what `text` says is the tooltip of its point. */
export interface Line {
  name: string;
  points: { x: number; y: number; text: string }[];
}

/** A plot of lines over a logarithmic x axis. */
export interface Plot {
  title: string;
  xLabel: string;
  yLabel: string;
  lines: Line[];
  formatX: (value: number) => string;
  /** Whether the y axis is logarithmic; else it goes from 0 to 1. */
  isLogarithmic: boolean;
}

const WIDTH = 640;
const HEIGHT = 380;
const LEFT = 62;
const RIGHT = WIDTH - 110;
const TOP = 46;
const BOTTOM = HEIGHT - 48;
const LINE_HEIGHT = 15;
const MOST_MARKS = 40;
const DASHES = ['', '7 3', '2 3', '10 3 2 3', '4 6', '1 4'];

type Place = (value: number) => number;

/** Text as HTML and SVG have it. */
export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** The plot, which says its title to a screen reader; a table beside it has the figures. */
export function renderPlot({ title, xLabel, yLabel, lines, formatX, isLogarithmic }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  const [xLow, xHigh] = domain(points.map(({ x }) => x));
  const [yLow, yHigh] = isLogarithmic ? domain(points.map(({ y }) => y)) : [0, 1];
  const x = logarithmic(xLow, xHigh, LEFT, RIGHT);
  const y: Place = isLogarithmic ? logarithmic(yLow, yHigh, BOTTOM, TOP) : (value) => BOTTOM + value * (TOP - BOTTOM);
  const yTicks = isLogarithmic ? decades(yLow, yHigh) : [0, 0.25, 0.5, 0.75, 1];
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">`,
    `<text class="title" x="0" y="18">${escape(title)}</text>`,
    ...thinOut([...new Set(isLogarithmic ? points.map((point) => point.x) : decades(xLow, xHigh))], x).map(
      (tick) =>
        `<line class="grid" x1="${fixed(x(tick))}" x2="${fixed(x(tick))}" y1="${TOP}" y2="${BOTTOM}"/>` +
        `<text class="tick" x="${fixed(x(tick))}" y="${BOTTOM + 17}" text-anchor="middle">${escape(formatX(tick))}</text>`,
    ),
    ...yTicks.map(
      (tick) =>
        `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${fixed(y(tick))}" y2="${fixed(y(tick))}"/>` +
        `<text class="tick" x="${LEFT - 7}" y="${fixed(y(tick) + 4)}" text-anchor="end">${tick}</text>`,
    ),
    `<text class="label" x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escape(xLabel)}</text>`,
    `<text class="label" x="0" y="${TOP - 12}">${escape(yLabel)}</text>`,
    ...lines.map((line, index) => renderLine(line, index, x, y)),
    ...renderNames(lines, y),
    '</svg>',
  ].join('\n');
}

function renderLine({ points }: Line, index: number, x: Place, y: Place): string {
  const path = points.map((point) => `${fixed(x(point.x))},${fixed(y(point.y))}`).join(' ');
  // So many that they would hide the dashes: they only have their tooltips then.
  const look = points.length > MOST_MARKS ? ' class="unseen" r="5"' : ' r="2.6"';
  const marks = points.map(
    (point) =>
      `<circle cx="${fixed(x(point.x))}" cy="${fixed(y(point.y))}"${look}><title>${escape(point.text)}</title></circle>`,
  );
  const style = index % DASHES.length;
  return `<g class="line s${style}"><polyline points="${path}" stroke-dasharray="${DASHES[style]}"/>${marks.join('')}</g>`;
}

/** Names at the ends of lines, apart from each other. */
function renderNames(lines: readonly Line[], y: Place): string[] {
  const ends = lines
    .map(({ name, points }, index) => ({ name, index, wanted: y(points.at(-1)?.y ?? NaN) }))
    .filter(({ wanted }) => Number.isFinite(wanted))
    .sort((one, other) => one.wanted - other.wanted);
  let last = TOP - LINE_HEIGHT;
  return ends.map(({ name, index, wanted }) => {
    last = Math.max(wanted, last + LINE_HEIGHT);
    const style = index % DASHES.length;
    return (
      `<g class="line s${style}"><polyline points="${RIGHT + 3},${fixed(wanted)} ${RIGHT + 22},${fixed(last)}" ` +
      `stroke-dasharray="${DASHES[style]}"/></g><text class="name" x="${RIGHT + 26}" y="${fixed(last + 4)}">${escape(name)}</text>`
    );
  });
}

/** The range of values with a little room. */
function domain(values: readonly number[]): [number, number] {
  const positive = values.filter((value) => value > 0);
  return [Math.min(...positive) / 1.25, Math.max(...positive) * 1.25];
}

function logarithmic(low: number, high: number, start: number, end: number): Place {
  const span = Math.log(high / low);
  return (value) => start + (Math.log(Math.max(value, low) / low) / span) * (end - start);
}

function decades(low: number, high: number): number[] {
  const steps = high / low > 300 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) {
      const tick = Number((step * 10 ** power).toPrecision(1));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

/** No two names of ticks on each other. */
function thinOut(ticks: readonly number[], place: Place): number[] {
  let last = -Infinity;
  return [...ticks]
    .sort((one, other) => one - other)
    .filter((tick) => {
      if (place(tick) - last < 38) return false;
      last = place(tick);
      return true;
    });
}

const fixed = (value: number): string => value.toFixed(1);
