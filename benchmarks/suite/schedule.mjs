/** Runs cases: the entries of each take turns, round after round. */
import { FabricError } from 'node-libfabric';
import { combineRounds } from './figures.mjs';
import { runProgram } from './programs.mjs';
import { findProvider } from './providers.mjs';
import { judge } from './verdicts.mjs';

/** @typedef {import('./types.js').Case} Case */
/** @typedef {import('./types.js').CaseResult} CaseResult */
/** @typedef {import('./types.js').Entry} Entry */
/** @typedef {import('./programs.mjs').Measurement} Measurement */

/** How long it takes to start a measurement, and to end it. */
const START_UP_SECONDS = 0.6;

/**
 * @typedef {object} Run
 * @property {number} rounds
 * @property {readonly [number, number]} cores
 * @property {import('./progress.mjs').Progress} progress
 * @property {number} seconds after which no case begins any more
 * @property {AbortSignal} signal ends the run; what is complete by then is kept
 */

/** How long a measurement may take, for an estimate of the rest. @param {Case} subject @param {Entry} entry */
function expectedSeconds(subject, entry) {
  const { sizes = [64], seconds = 0, messages = 0 } = { ...subject.parameters, ...entry.parameters };
  return START_UP_SECONDS + sizes.length * seconds * 1.7 + messages / 1e6;
}

/** @param {Run} run */
const isOver = ({ signal }) => signal.aborted;

/** @param {Case} subject @param {number} rounds */
const roundsOf = (subject, rounds) => Math.min(subject.rounds ?? rounds, rounds);

/**
 * @param {readonly Case[]} cases
 * @param {Run} run
 * @returns {Promise<CaseResult[]>}
 */
export async function runCases(cases, run) {
  const seconds = (/** @type {Case} */ subject) =>
    subject.entries.reduce((sum, entry) => sum + expectedSeconds(subject, entry), 0) * roundsOf(subject, run.rounds);
  run.progress.expect(cases.reduce((sum, subject) => sum + seconds(subject), 0));
  const results = [];
  const end = performance.now() + run.seconds * 1000;
  for (const [index, subject] of cases.entries()) {
    if (isOver(run)) break;
    run.progress.startCase(`${subject.name} (${index + 1} of ${cases.length})`);
    if (performance.now() < end) results.push(await runCase(subject, run));
    else results.push(skip(subject, `there were only ${run.seconds} s for all cases`, run));
  }
  return results;
}

/**
 * @param {Case} subject
 * @param {Run} run
 * @returns {Promise<CaseResult>}
 */
async function runCase(subject, run) {
  const { name, what, parameters, entries } = subject;
  const obstacle = whyImpossible(subject);
  if (obstacle !== undefined) return skip(subject, obstacle, run);
  const measured = entries.map((entry) => ({
    entry,
    rounds: /** @type {Measurement[]} */ ([]),
    error: /** @type {string | undefined} */ (undefined),
  }));
  const rounds = roundsOf(subject, run.rounds);
  for (let round = 0; round < rounds; round++) {
    // Another one begins each time: none is always the first after the pause between rounds.
    const first = round % measured.length;
    for (const who of [...measured.slice(first), ...measured.slice(0, first)]) {
      if (isOver(run) || who.error !== undefined) continue;
      run.progress.step(`${who.entry.name}, round ${round + 1} of ${rounds}`, expectedSeconds(subject, who.entry));
      try {
        who.rounds.push(await runProgram(who.entry.program, { ...parameters, ...who.entry.parameters }, run.cores));
      } catch (error) {
        if (isOver(run)) continue;
        who.error = error instanceof Error ? error.message : String(error);
        run.progress.note(`${name}, ${who.entry.name}, failed: ${who.error}`);
      }
    }
  }
  // An interrupted round is not side by side with anything.
  const complete = Math.min(...measured.filter(({ error }) => error === undefined).map((who) => who.rounds.length));
  if (isOver(run) && complete === 0) return skip(subject, 'interrupted', run);
  const results = measured.map(({ entry, rounds: all, error }) => ({
    name: entry.name,
    program: entry.program,
    phases: combineRounds(all.slice(0, complete)),
    ...(error !== undefined && { error }),
  }));
  return { name, what, parameters, entries: results, targets: subject.targets.map((target) => judge(target, results)) };
}

/**
 * @param {Case} subject
 * @param {string} skipped why
 * @param {Run} run
 * @returns {CaseResult}
 */
function skip({ name, what, parameters }, skipped, { progress }) {
  progress.note(`${name} is skipped: ${skipped}`);
  return { name, what, parameters, entries: [], targets: [], skipped };
}

/** Why this machine cannot run a case. @param {Case} subject */
function whyImpossible({ parameters, entries }) {
  for (const { fabric } of [parameters, ...entries.map((entry) => entry.parameters ?? {})]) {
    if (fabric === undefined) continue;
    try {
      findProvider(fabric);
    } catch (error) {
      if (error instanceof FabricError) return error.message;
      throw error;
    }
  }
  return undefined;
}
