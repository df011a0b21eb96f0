/** What the rounds of an entry say together. */
import { median } from './statistics.mjs';

/** @typedef {import('./types.js').Phase} Phase */
/** @typedef {import('./types.js').PhaseResult} PhaseResult */
/** @typedef {import('./programs.mjs').Measurement} Measurement */

/**
 * The figures of a phase. Where both ends have one, it is a cost, and that of the worse end counts.
 *
 * @param {Measurement} measurement
 * @param {number} index
 * @returns {Record<string, number>}
 */
function figuresOf({ client, server }, index) {
  /** @type {Record<string, number>} */
  const figures = {};
  for (const phase of [client[index], server[index]]) {
    for (const [name, value] of Object.entries(phase ?? {})) {
      if (typeof value === 'number') figures[name] = Math.max(figures[name] ?? -Infinity, value);
    }
  }
  return figures;
}

/** @param {number} value */
const rounded = (value) => Number(value.toPrecision(6));

/**
 * @param {readonly Measurement[]} rounds
 * @returns {PhaseResult[]}
 */
export function combineRounds(rounds) {
  const phases = rounds[0]?.client ?? [];
  return phases.map((_, index) => {
    const all = rounds.map((round) => figuresOf(round, index));
    const { size, ...names } = all[0] ?? {};
    const figures = Object.keys(names).map((name) => {
      const values = all.map((figuresOfRound) => rounded(figuresOfRound[name] ?? NaN));
      return [name, { median: median(values), values }];
    });
    const quantiles = combineQuantiles(rounds.map(({ client }) => client[index]));
    return {
      ...(size !== undefined && { size }),
      figures: Object.fromEntries(figures),
      ...(quantiles !== undefined && { quantiles }),
    };
  });
}

/** @param {readonly (Phase | undefined)[]} phases the same of each round */
function combineQuantiles(phases) {
  const curves = phases.map((phase) => phase?.['quantiles']).filter((curve) => typeof curve === 'object');
  return curves[0]?.map((_, percent) => rounded(median(curves.map((curve) => curve[percent] ?? NaN))));
}
