import type { ControlChannel } from './control-channel.js';
import type { Exchange } from './exchange.js';
import { latencyClient, windowsClient } from './exchanges.js';
import { latencyHistogram } from './histogram.js';
import type { Link } from './link.js';
import { isOneSided } from './operations.js';
import type { Parameters, PingpongOptions, Test } from './parameters.js';
import { runClientPhase } from './phase.js';
import { CALIBRATION, planBandwidth, planChunk, planLatency, type LatencyPlan } from './plan.js';
import type { Message, Phase } from './protocol.js';
import type { BandwidthResult, LatencyResult, Measurement, PingpongResult } from './result.js';
import { latencyStatistics, megabytesPerSecond, nearestRank } from './statistics.js';

/** Who hears of it. */
export type Listeners = Pick<PingpongOptions, 'onProgress' | 'onMeasurement'>;

/** Memory for the messages of a window where each is looked at. */
const MOST_VERIFIED_BYTES = 256 * 1024 ** 2;

const WINDOWED: Record<Exclude<Test, 'lat'>, { phase: Phase; key: 'bandwidth' | 'bidirectional' | 'rate' }> = {
  bw: { phase: 'bandwidth', key: 'bandwidth' },
  bibw: { phase: 'bidirectional', key: 'bidirectional' },
  rate: { phase: 'rate', key: 'rate' },
};

/**
 * The client's measurements, each size in turn. `result` is filled as they are made, so that it
 * holds what there is when one fails: then the statistics of the samples taken so far too.
 */
export async function measure(
  link: Link,
  channel: ControlChannel,
  result: PingpongResult,
  { onProgress, onMeasurement }: Listeners,
): Promise<void> {
  const { parameters } = result;
  const sizes = limitSizes(link, parameters, result);
  const windows = limitWindows(link, parameters, sizes, result);
  for (const [sizeIndex, size] of sizes.entries()) {
    const run = (start: Message<'start'>, exchange: Exchange): Promise<void> => {
      const progress = { phase: start.phase, size, sizeIndex, sizeCount: sizes.length };
      const iterations = start.warmup + start.iterations;
      return runClientPhase(link, channel, start, exchange, parameters.timeout, (iteration) =>
        onProgress?.({ ...progress, iteration, iterations }),
      );
    };
    const measurement: Measurement = { size };
    try {
      await new SizeMeasurement(link, parameters, measurement, windows[sizeIndex]!, run).run();
    } finally {
      if (Object.keys(measurement).length > 1) {
        result.measurements.push(measurement);
        onMeasurement?.(measurement);
      }
    }
  }
}

/** What is measured of one size. */
class SizeMeasurement {
  readonly #link: Link;
  readonly #parameters: Parameters;
  readonly #measurement: Measurement;
  readonly #window: number;
  readonly #run: (start: Message<'start'>, exchange: Exchange) => Promise<void>;
  /** One way is half of a round trip, and an operation is a whole one. */
  readonly #share: number;

  constructor(
    link: Link,
    parameters: Parameters,
    measurement: Measurement,
    window: number,
    run: (start: Message<'start'>, exchange: Exchange) => Promise<void>,
  ) {
    this.#link = link;
    this.#parameters = parameters;
    this.#measurement = measurement;
    this.#window = window;
    this.#run = run;
    this.#share = isOneSided(link.operation) ? 1 : 0.5;
  }

  async run(): Promise<void> {
    const { test, iterations } = this.#parameters;
    const { size } = this.#measurement;
    const isOurs = iterations === undefined;
    const roundTrip = isOurs ? nearestRank((await this.#sample(CALIBRATION)).sort(), 500) : 0;
    const plan = planLatency(size, this.#parameters, roundTrip);
    if (test === undefined || test === 'lat') await this.#measureLatency(plan, roundTrip);
    if (test === 'lat') return;
    const typical = this.#measurement.latency ? this.#measurement.latency.p50 / 1000 : roundTrip * this.#share;
    await this.#measureWindows(test ?? 'bw', plan, isOurs ? typical : 0);
  }

  /** Round trips in milliseconds; what was taken before a failure is in `partial`. */
  async #sample(plan: LatencyPlan, partial: Float64Array[] = []): Promise<Float64Array> {
    const start = { type: 'start', phase: 'latency', size: this.#measurement.size, ...plan, window: 1 } as const;
    const exchange = latencyClient(this.#link, start);
    try {
      await this.#run(start, exchange);
    } finally {
      partial.push(exchange.samples);
    }
    return exchange.samples;
  }

  async #measureLatency(plan: LatencyPlan, roundTrip: number): Promise<void> {
    const { time } = this.#parameters;
    const chunks: Float64Array[] = [];
    let isComplete = false;
    try {
      const endsAt = performance.now() + (time ?? 0);
      await this.#sample(plan, chunks);
      while (time !== undefined && performance.now() < endsAt) {
        const iterations = planChunk(roundTrip, endsAt - performance.now());
        await this.#sample({ warmup: 1, iterations }, chunks);
      }
      isComplete = true;
    } finally {
      const latency = this.#summarize(chunks, plan.warmup, isComplete);
      if (latency) this.#measurement.latency = latency;
    }
  }

  #summarize(chunks: readonly Float64Array[], warmup: number, complete: boolean): LatencyResult | undefined {
    const samples = new Float64Array(chunks.reduce((sum, { length }) => sum + length, 0));
    let offset = 0;
    for (const chunk of chunks) {
      samples.set(chunk, offset);
      offset += chunk.length;
    }
    const statistics = latencyStatistics(samples, this.#share);
    if (!statistics) return undefined;
    return {
      ...statistics,
      iterations: samples.length,
      warmup,
      complete,
      histogram: latencyHistogram(samples, this.#share),
      ...(this.#parameters.samples ? { samples: Array.from(samples, (sample) => sample * 1000 * this.#share) } : {}),
    };
  }

  async #measureWindows(test: Exclude<Test, 'lat'>, plan: LatencyPlan, oneWay: number): Promise<void> {
    const { phase, key } = WINDOWED[test];
    const window = this.#window;
    const { size } = this.#measurement;
    const { time, streams } = this.#parameters;
    const total = { windows: 0, milliseconds: 0 };
    const run = async (warmup: number, iterations: number): Promise<void> => {
      const start = { type: 'start', phase, size, warmup, iterations, window } as const;
      const exchange = windowsClient(this.#link, start);
      await this.#run(start, exchange);
      total.windows += iterations;
      total.milliseconds += exchange.clock.milliseconds;
      this.#measurement[key] = summarizeWindows(total, window, streams, size, test === 'bibw' ? 2 : 1);
    };
    const endsAt = performance.now() + (time ?? 0);
    const { windows, warmupWindows } = planBandwidth(plan, window, oneWay);
    await run(warmupWindows, windows);
    while (time !== undefined && performance.now() < endsAt) {
      await run(1, planChunk(total.milliseconds / total.windows, endsAt - performance.now()));
    }
  }
}

function summarizeWindows(
  { windows, milliseconds }: { windows: number; milliseconds: number },
  window: number,
  streams: number,
  size: number,
  directions: number,
): BandwidthResult {
  const messages = windows * window * streams * directions;
  const bytes = messages * size;
  return {
    window,
    streams,
    windows,
    messages,
    bytes,
    milliseconds,
    megabytesPerSecond: megabytesPerSecond(bytes, milliseconds),
    messagesPerSecond: milliseconds > 0 ? (messages * 1000) / milliseconds : 0,
  };
}

/** For each size: no more messages in flight than the shortest of the queues holds, or than can be looked at. */
function limitWindows(
  link: Link,
  { window, verify, streams, test }: Parameters,
  sizes: readonly number[],
  { warnings }: PingpongResult,
): number[] {
  if (test === 'lat') return sizes.map(() => 1);
  // In both directions the other end may be a window ahead.
  const limit = Math.max(1, test === 'bibw' ? Math.floor(link.depth / 2) : link.depth);
  if (window > limit) {
    warnings.push({
      code: 'WINDOW_LIMITED',
      message: `window ${limit} instead of ${window}: the queues hold no more`,
    });
  }
  const shared = Math.min(window, limit);
  if (!verify) return sizes.map(() => shared);
  const windows = sizes.map((size) =>
    Math.max(1, Math.min(shared, Math.floor(MOST_VERIFIED_BYTES / (2 * size * streams)))),
  );
  const least = Math.min(...windows);
  if (least < shared) {
    warnings.push({
      code: 'WINDOW_LIMITED',
      message: `window down to ${least} for large messages: each one of a window is kept to be verified`,
    });
  }
  return windows;
}

/** The sizes that both ends can send in one message. Throws a RangeError when there are none. */
function limitSizes(link: Link, { sizes }: Parameters, { warnings }: PingpongResult): number[] {
  const limit = Math.min(link.local.maxMessageSize, link.remote.maxMessageSize);
  const possible = sizes.filter((size) => size <= limit);
  const skipped = sizes.filter((size) => size > limit);
  const message = `${link.local.provider} sends at most ${limit} bytes in a message`;
  if (possible.length === 0) throw new RangeError(`sizes: ${message}`);
  if (skipped.length > 0) {
    warnings.push({ code: 'SIZE_SKIPPED', message: `${skipped.join(', ')} skipped: ${message}` });
  }
  return possible;
}
