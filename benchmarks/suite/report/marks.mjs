/** Shapes and strokes by which lines differ without their colour. */

const SIZE = 4.5;

/** @type {((x: number, y: number) => string)[]} */
const shapes = [
  (x, y) => `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="${SIZE - 0.5}"/>`,
  (x, y) => polygon(x, y, [-1, -1, 1, -1, 1, 1, -1, 1], SIZE - 0.8),
  (x, y) => polygon(x, y, [0, -1.2, 1.1, 0.9, -1.1, 0.9], SIZE),
  (x, y) => polygon(x, y, [0, -1.25, 1.25, 0, 0, 1.25, -1.25, 0], SIZE),
  (x, y) => polygon(x, y, [0, 1.2, 1.1, -0.9, -1.1, -0.9], SIZE),
  (x, y) => `<path d="M${around(x, y, [-1, -1, 1, 1])}M${around(x, y, [-1, 1, 1, -1])}"/>`,
  (x, y) => `<path d="M${around(x, y, [0, -1.2, 0, 1.2])}M${around(x, y, [-1.2, 0, 1.2, 0])}"/>`,
];

const DASHES = ['', '', '', '7 3', '2 3', '9 3 2 3', '4 2'];

/** How many lines can differ. */
export const STYLES = shapes.length;

/** @param {number} style @param {number} x @param {number} y */
export const markAt = (style, x, y) => shapes[style % STYLES]?.(x, y) ?? '';

/** @param {number} style */
export const dashOf = (style) => DASHES[style % STYLES] ?? '';

/** @param {number} value */
export const fixed = (value) => value.toFixed(1);

/** @param {number} x @param {number} y @param {number[]} offsets @param {number} size */
function around(x, y, offsets, size = SIZE) {
  const numbers = offsets.map((offset, index) => fixed((index % 2 === 0 ? x : y) + offset * size));
  return numbers.join(' ');
}

/** @param {number} x @param {number} y @param {number[]} offsets @param {number} size */
const polygon = (x, y, offsets, size) => `<polygon points="${around(x, y, offsets, size)}"/>`;
