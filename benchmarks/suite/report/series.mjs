/** Which lines the plots have, from a run's results. */
import { formatNumber, formatSize } from '../text.mjs';
import { linearScale, logScale, roomyDomain } from './scales.mjs';

/** @typedef {import('../types.js').CaseResult} CaseResult */
/** @typedef {import('../types.js').PhaseResult} PhaseResult */
/** @typedef {import('./plot.mjs').Line} Line */
/** @typedef {import('./plot.mjs').Plot} Plot */

/**
 * What is compared in one plot, ours first: the reference in C, and both doors, then what there is of the same kind. Names in
 * a plot, and names of entries.
 *
 * @type {{ what: string, members: [string, string][] }[]}
 */
export const groups = [
  {
    what: 'one host',
    members: [
      ['C, shm', 'C, shm'],
      ['batch door, shm', 'batch, shm'],
      ['await, shm', 'await, shm'],
      ['node:net, Unix', 'node:net, Unix socket'],
      ['zeromq, IPC', 'zeromq, IPC'],
      ['MessageChannel', 'MessageChannel'],
      ['Atomics.wait', 'Atomics.wait'],
    ],
  },
  {
    what: 'TCP',
    members: [
      ['C, net', 'C, net'],
      ['batch door, net', 'batch, net'],
      ['await, net', 'await, net'],
      ['node:net, TCP', 'node:net, TCP'],
      ['zeromq, TCP', 'zeromq, TCP'],
      ['ws', 'ws'],
      ['@grpc/grpc-js', '@grpc/grpc-js'],
    ],
  },
];

/**
 * @param {CaseResult} result
 * @param {typeof groups[number]} group
 * @param {(phases: readonly PhaseResult[]) => Line['points']} pointsOf
 * @returns {Line[]}
 */
function linesOf(result, { members }, pointsOf) {
  return members
    .map(([name, entryName], style) => {
      const phases = result.entries.find((entry) => entry.name === entryName)?.phases ?? [];
      return { name, style, points: pointsOf(phases) };
    })
    .filter(({ points }) => points.length > 0);
}

/**
 * A figure against the size of messages.
 *
 * @param {CaseResult} result
 * @param {typeof groups[number]} group
 * @param {{ figure: string, title: string, unit: string }} wanted
 * @returns {Plot | undefined} nothing where nothing was measured
 */
export function bySize(result, group, { figure, title, unit }) {
  const pointsOf = (/** @type {readonly PhaseResult[]} */ phases) =>
    phases.flatMap(({ size, figures }) => {
      const value = figures[figure]?.median;
      if (size === undefined || value === undefined) return [];
      return [{ x: size, y: value, text: `${formatSize(size)}: ${formatNumber(value)} ${unit}` }];
    });
  const lines = linesOf(result, group, pointsOf);
  if (lines.length === 0) return undefined;
  const points = lines.flatMap((line) => line.points);
  const sizes = [...new Set(points.map(({ x }) => x))];
  const [low, high] = [Math.min(...sizes), Math.max(...sizes)];
  return {
    title: `${title}, ${group.what}`,
    xLabel: 'bytes of a message',
    yLabel: unit,
    lines,
    xScale: (range) => logScale([low, Math.max(high, low * 2)], range, sizes),
    yScale: (range) => logScale(roomyDomain(points.map(({ y }) => y)), range),
    formatX: formatSize,
    formatY: formatNumber,
  };
}

const PERCENTILES = [0, 25, 50, 75, 90, 99];

/**
 * The distribution of one size's round trips: how long so many of a hundred took at most. It ends at the 99th, since beyond a
 * few samples would stretch the axis for all.
 *
 * @param {CaseResult} result
 * @param {typeof groups[number]} group
 * @param {number} size
 * @returns {Plot | undefined} nothing where nothing was measured
 */
export function distribution(result, group, size) {
  const pointsOf = (/** @type {readonly PhaseResult[]} */ phases) => {
    const quantiles = phases.find((phase) => phase.size === size)?.quantiles ?? [];
    return quantiles.slice(0, 100).map((y, x) => {
      return { x, y, text: PERCENTILES.includes(x) ? `${x} % took at most ${formatNumber(y)} µs` : '' };
    });
  };
  const lines = linesOf(result, group, pointsOf);
  if (lines.length === 0) return undefined;
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y));
  return {
    title: `Distribution of ${formatSize(size)} latency, ${group.what}`,
    xLabel: 'percentile of the round trips',
    yLabel: 'half round trip, µs',
    lines,
    xScale: (range) => linearScale([0, 99], range, PERCENTILES),
    yScale: (range) => logScale(roomyDomain(values), range),
    formatX: String,
    formatY: formatNumber,
  };
}
