/** From figures to places, and the figures that an axis names. */

/**
 * @typedef {object} Scale
 * @property {(value: number) => number} place in the coordinates of the plot
 * @property {number[]} ticks
 */

/**
 * @param {readonly [number, number]} domain both above 0
 * @param {readonly [number, number]} range
 * @param {number[]} [ticks] by default powers of ten, and what is between them where there are few
 * @returns {Scale}
 */
export function logScale([low, high], [start, end], ticks = decimalTicks(low, high)) {
  const span = Math.log(high / low);
  return { place: (value) => start + (Math.log(value / low) / span) * (end - start), ticks };
}

/**
 * @param {readonly [number, number]} domain
 * @param {readonly [number, number]} range
 * @param {number[]} ticks
 * @returns {Scale}
 */
export function linearScale([low, high], [start, end], ticks) {
  return { place: (value) => start + ((value - low) / (high - low)) * (end - start), ticks };
}

/** @param {number} low @param {number} high */
function decimalTicks(low, high) {
  const decades = Math.log10(high / low);
  const steps = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) {
      const tick = Number((step * 10 ** power).toPrecision(1));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

/** The range of values with a little room. @param {readonly number[]} values @returns {[number, number]} */
export const roomyDomain = (values) => [Math.min(...values) / 1.25, Math.max(...values) * 1.25];
