/**
 * npm run bench: our two doors beside C, interleaved in one run, fresh processes each round, medians over the rounds.
 *
 *   npm run bench [-- --rounds N] [--only PROVIDER] [--save]
 *
 * --save keeps the result in benchmarks/results.
 */
import Table from 'cli-table3';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { libraryInfo } from 'node-libfabric';
import { cases } from './cases.mjs';
import { contenders } from './contenders.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    only: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds: expected a positive integer, not '${values.rounds}'`);
  process.exit(2);
}
const chosen = cases.filter(({ provider }) => values.only === undefined || provider === values.only);

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = sorted.slice(middle - 1, middle + 1);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : (low + high) / 2;
}

const started = Date.now();
const results = [];
for (const [index, subject] of chosen.entries()) {
  /** @type {Map<string, import('./contenders.mjs').Latency[]>} */
  const samples = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const done = index * rounds + round;
    const left =
      done === 0
        ? ''
        : `, ${Math.round(((Date.now() - started) / done / 1000) * (chosen.length * rounds - done))} s left`;
    process.stderr.write(`bench: ${subject.provider} ${subject.size} B, round ${round + 1} of ${rounds}${left}\n`);
    for (const { name, run } of contenders) samples.get(name)?.push(await run(subject));
  }
  const reference = median((samples.get(contenders[0]?.name ?? '') ?? []).map(({ mean }) => mean));
  for (const { name } of contenders) {
    const latencies = samples.get(name) ?? [];
    const means = latencies.map(({ mean }) => mean);
    const p50 = latencies.flatMap((latency) => latency.p50 ?? []);
    results.push({
      provider: subject.provider,
      size: subject.size,
      contender: name,
      mean: median(means),
      lowest: Math.min(...means),
      highest: Math.max(...means),
      ...(p50.length > 0 && { p50: median(p50), p50Ratio: median(p50) / reference }),
      ratio: median(means) / reference,
    });
  }
}

const table = new Table({
  head: ['provider', 'bytes', 'who', 'mean µs', 'lowest … highest', 'p50 µs', 'mean / C', 'p50 / C mean'],
  style: { head: [], border: [] },
});
for (const row of results) {
  table.push([
    row.provider,
    row.size,
    row.contender,
    row.mean.toFixed(2),
    `${row.lowest.toFixed(2)} … ${row.highest.toFixed(2)}`,
    row.p50?.toFixed(2) ?? '',
    row.ratio.toFixed(2),
    row.p50Ratio?.toFixed(2) ?? '',
  ]);
}
console.log(table.toString());

if (values.save) {
  const report = {
    date: new Date().toISOString(),
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, arch: arch(), kernel: release() },
    node: process.version,
    libfabric: libraryInfo().version,
    rounds,
    results,
  };
  const file = new URL(`results/${report.date.slice(0, 10)}.json`, import.meta.url);
  mkdirSync(new URL('results', import.meta.url), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
  console.error(`bench: saved ${file.pathname}`);
}
