/**
 * A quantile of numbers, between neighbours where it falls between them.
 *
 * @param {readonly number[]} numbers
 * @param {number} part 0.5 for the median
 */
export function quantile(numbers, part) {
  const ascending = numbers.toSorted((a, b) => a - b);
  const position = (ascending.length - 1) * part;
  const below = ascending[Math.floor(position)] ?? NaN;
  const above = ascending[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** @param {readonly number[]} numbers */
export const median = (numbers) => quantile(numbers, 0.5);
