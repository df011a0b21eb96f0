/** What npm run bench makes of figures: nothing here measures. */
import { describe, expect, it } from 'vitest';
import { cases } from '../../benchmarks/cases.mjs';
import { compareReports } from '../../benchmarks/suite/compare.mjs';
import { combineRounds } from '../../benchmarks/suite/figures.mjs';
import { renderImage } from '../../benchmarks/suite/report/image.mjs';
import { renderPage } from '../../benchmarks/suite/report/page.mjs';
import { targetTable } from '../../benchmarks/suite/table.mjs';
import type { CaseResult, EntryResult, Report, Target } from '../../benchmarks/suite/types.js';
import { judge, worstVerdict } from '../../benchmarks/suite/verdicts.mjs';

const latency: Target = { what: 'latency', subject: 'ours', reference: 'C', figure: 'p50', atMost: 1.15 };
const bandwidth: Target = { ...latency, what: 'bandwidth', figure: 'megabytesPerSecond', atLeast: 0.97 };

/** An entry whose rounds said so, size by size. */
function entry(name: string, figure: string, rounds: Record<number, number[]>): EntryResult {
  const sizes = Object.keys(rounds).map(Number);
  const count = rounds[sizes[0]!]!.length;
  const measurements = Array.from({ length: count }, (_, round) => ({
    client: sizes.map((size) => ({ size, [figure]: rounds[size]![round] })),
    server: [],
  }));
  return { name, program: 'none', phases: combineRounds(measurements) };
}

function report(target: Target, ours: number[], reference = ours.map(() => 1)): Report {
  const entries = [entry('ours', target.figure, { 64: ours }), entry('C', target.figure, { 64: reference })];
  const result: CaseResult = {
    name: 'a case',
    what: 'of a test',
    parameters: {},
    entries,
    targets: [judge(target, entries)],
  };
  return {
    format: 1,
    date: '2026-01-01T00:00:00.000Z',
    machine: { cpu: 'a' },
    versions: {},
    rounds: ours.length,
    isQuick: false,
    cases: [result],
  };
}

describe('rounds', () => {
  it('are combined by their median, percentile by percentile', () => {
    const round = (p50: number) => ({ client: [{ size: 8, p50, quantiles: [p50, 2 * p50] }], server: [] });
    const [phase] = combineRounds([round(3), round(1), round(2)]);
    expect(phase).toEqual({
      size: 8,
      figures: { p50: { median: 2, values: [3, 1, 2] } },
      quantiles: [2, 4],
    });
  });

  it('have the cost of the worse end', () => {
    const [phase] = combineRounds([{ client: [{ cpuPercent: 0.1 }], server: [{ cpuPercent: 0.4 }] }]);
    expect(phase!.figures['cpuPercent']!.median).toBe(0.4);
  });
});

describe('a target', () => {
  it('is judged by the median of ratios, taken round by round', () => {
    // The machine was three times slower in one round, for both.
    const entries = [entry('ours', 'p50', { 64: [11, 33, 11] }), entry('C', 'p50', { 64: [10, 30, 10] })];
    const [verdict] = judge(latency, entries).verdicts;
    expect(verdict).toMatchObject({ value: 1.1, low: 1.1, high: 1.1, isMet: true });
  });

  it('is not met when one size misses it, and the worst is the one to show', () => {
    const entries = [
      entry('ours', 'megabytesPerSecond', { 1024: [100], 2048: [90] }),
      entry('C', 'megabytesPerSecond', { 1024: [100], 2048: [100] }),
    ];
    const judged = judge({ ...bandwidth, sizes: [1024, 2048] }, entries);
    expect(judged.verdicts.map(({ isMet }) => isMet)).toEqual([true, false]);
    expect(worstVerdict(judged)).toMatchObject({ size: 2048, value: 0.9 });
  });

  it('without a reference is the figure itself', () => {
    const idle: Target = { what: 'CPU', subject: 'ours', figure: 'cpuPercent', atMost: 0.5 };
    const [verdict] = judge(idle, [entry('ours', 'cpuPercent', { 64: [0.2, 0.6, 0.7] })]).verdicts;
    expect(verdict).toMatchObject({ value: 0.6, isMet: false });
  });

  it('has no verdict when its subject could not be measured', () => {
    const failed: EntryResult = { name: 'ours', program: 'none', phases: [], error: 'exit 1' };
    const judged = judge(latency, [failed, entry('C', 'p50', { 64: [1] })]);
    expect(judged.verdicts).toEqual([]);
    expect(targetTable([{ ...report(latency, [1]).cases[0]!, targets: [judged] }])).toContain('FAILED');
  });
});

describe('a comparison', () => {
  const regressions = (before: Report, now: Report): boolean[] =>
    compareReports(before, now).map(({ isRegression }) => isRegression);

  it('finds what has become slower beyond noise', () => {
    expect(regressions(report(latency, [1, 1.01, 1.02]), report(latency, [1.2, 1.21, 1.22]))).toEqual([true]);
    expect(regressions(report(bandwidth, [1, 1.01, 1.02]), report(bandwidth, [0.8, 0.81, 0.82]))).toEqual([true]);
  });

  it('does not mind what has become faster', () => {
    expect(regressions(report(latency, [1.2, 1.21, 1.22]), report(latency, [1, 1.01, 1.02]))).toEqual([false]);
    expect(regressions(report(bandwidth, [0.8, 0.81, 0.82]), report(bandwidth, [1, 1.01, 1.02]))).toEqual([false]);
  });

  it('does not take noise for a regression', () => {
    expect(regressions(report(latency, [1, 1.1, 1.5]), report(latency, [1.1, 1.3, 1.6]))).toEqual([false]);
    expect(regressions(report(latency, [1, 1, 1]), report(latency, [1.03, 1.03, 1.03]))).toEqual([false]);
  });

  it('does not mind a machine that is slower for both', () => {
    expect(regressions(report(latency, [1, 1]), report(latency, [9, 9], [9, 9]))).toEqual([false]);
  });

  it('takes a figure without a reference for worse when it is not met any more', () => {
    const idle: Target = { what: 'CPU', subject: 'ours', figure: 'cpuPercent', atMost: 0.5 };
    expect(regressions(report(idle, [0.1]), report(idle, [0.4]))).toEqual([false]);
    expect(regressions(report(idle, [0.4]), report(idle, [0.6]))).toEqual([true]);
  });
});

describe('the cases', () => {
  it('have names of their own, and targets about entries that they have', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    for (const { name, entries, targets } of cases) {
      const names = entries.map((known) => known.name);
      expect(new Set(names).size, name).toBe(names.length);
      for (const { subject, reference = subject } of targets) {
        expect(names, name).toContain(subject);
        expect(names, name).toContain(reference);
      }
    }
  });
});

describe('the page', () => {
  const phases = (name: string, factor: number): EntryResult => {
    const quantiles = Array.from({ length: 101 }, (_, percent) => factor * (percent + 1));
    const client = [64, 4096].map((size) => ({
      size,
      p50: factor * size,
      p99: 2 * factor * size,
      megabytesPerSecond: size / factor,
      messagesPerSecond: 1e6 / factor,
      quantiles,
    }));
    return { name, program: 'none', phases: combineRounds([{ client, server: [] }]) };
  };
  const entries = [phases('C, shm', 1), phases('batch, shm', 2), phases('<zeromq, IPC', 3), phases('zeromq, IPC', 4)];
  const full: Report = {
    ...report(latency, [1]),
    cases: ['peers/latency', 'peers/bandwidth', 'peers/rate'].map((name) => ({
      name,
      what: '',
      parameters: {},
      entries,
      targets: [],
    })),
  };

  it('stands alone: it names nothing to load', () => {
    const page = renderPage(full);
    expect(page).not.toMatch(/\b(?:src|href)=|url\(|@import|<script/);
    expect(page.match(/<svg /g)).toHaveLength(5);
    expect(page).not.toContain('NaN');
    expect(page).toContain('&lt;zeromq');
  });

  it('has an image of its latencies', () => {
    expect(renderImage(full)).toMatch(/^<svg xmlns=/);
    expect(renderImage(report(latency, [1]))).toBeUndefined();
  });
});
