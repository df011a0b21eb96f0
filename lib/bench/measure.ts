import { AwaitedBandwidthSender, AwaitedLatencyClient } from './awaited.js';
import { BandwidthSender } from './bandwidth.js';
import type { ControlChannel } from './control-channel.js';
import type { Exchange } from './exchange.js';
import { latencyHistogram } from './histogram.js';
import { LatencyClient } from './latency.js';
import type { Link } from './link.js';
import type { Parameters, PingpongOptions } from './parameters.js';
import { runClientPhase } from './phase.js';
import { CALIBRATION, planBandwidth, planLatency, type LatencyPlan } from './plan.js';
import type { Message } from './protocol.js';
import type { LatencyResult, Measurement, PingpongResult } from './result.js';
import { latencyStatistics, megabytesPerSecond, nearestRank } from './statistics.js';

/** Runs one phase of one size. */
type RunPhase = (start: Message<'start'>, exchange: Exchange) => Promise<void>;

/**
 * The client's measurements, each size in turn. `result` is filled as they are made, so that it
 * holds what there is when one fails: then the statistics of the samples taken so far too.
 */
export async function measure(
  link: Link,
  channel: ControlChannel,
  parameters: Parameters,
  result: PingpongResult,
  onProgress: PingpongOptions['onProgress'],
): Promise<void> {
  const window = limitWindow(link, parameters, result);
  const sizes = limitSizes(link, parameters, result);
  for (const [sizeIndex, size] of sizes.entries()) {
    const run: RunPhase = (start, exchange) => {
      const progress = { phase: start.phase, size, sizeIndex, sizeCount: sizes.length };
      const iterations = start.warmup + start.iterations;
      return runClientPhase(link, channel, start, exchange, parameters.timeout, (iteration) =>
        onProgress?.({ ...progress, iteration, iterations }),
      );
    };
    const isOurs = parameters.iterations === undefined;
    const roundTrip = isOurs ? await calibrate(link, size, run) : 0;
    const plan = planLatency(size, parameters, roundTrip);
    const measurement: Measurement = { size };
    try {
      if (parameters.test !== 'bw') await measureLatency(link, measurement, plan, run);
      if (parameters.test === 'lat') continue;
      const typical = measurement.latency ? measurement.latency.p50 / 1000 : roundTrip / 2;
      await measureBandwidth(link, measurement, window, plan, isOurs ? typical : 0, run);
    } finally {
      if (measurement.latency || measurement.bandwidth) result.measurements.push(measurement);
    }
  }
}

/** A typical round trip of a size, in milliseconds. */
async function calibrate(link: Link, size: number, run: RunPhase): Promise<number> {
  const { start, exchange } = createLatency(link, size, CALIBRATION);
  await run(start, exchange);
  return nearestRank(exchange.samples.slice().sort(), 500);
}

async function measureLatency(link: Link, measurement: Measurement, plan: LatencyPlan, run: RunPhase): Promise<void> {
  const { start, exchange } = createLatency(link, measurement.size, plan);
  try {
    await run(start, exchange);
  } finally {
    const latency = summarize(exchange.samples, plan);
    if (latency) measurement.latency = latency;
  }
}

async function measureBandwidth(
  link: Link,
  measurement: Measurement,
  window: number,
  plan: LatencyPlan,
  oneWay: number,
  run: RunPhase,
): Promise<void> {
  const { windows, warmupWindows: warmup } = planBandwidth(plan, window, oneWay);
  const { size } = measurement;
  const start = {
    type: 'start',
    phase: 'bandwidth',
    size,
    warmup,
    iterations: windows,
    window,
  } as const;
  const exchange = link.door === 'batch' ? new BandwidthSender(link, start) : new AwaitedBandwidthSender(link, start);
  await run(start, exchange);
  const { milliseconds } = exchange;
  const messages = windows * window;
  const bytes = messages * size;
  measurement.bandwidth = {
    window,
    windows,
    messages,
    bytes,
    milliseconds,
    megabytesPerSecond: megabytesPerSecond(bytes, milliseconds),
  };
}

function createLatency(
  link: Link,
  size: number,
  plan: LatencyPlan,
): { start: Message<'start'>; exchange: LatencyClient | AwaitedLatencyClient } {
  const start = { type: 'start', phase: 'latency', size, ...plan, window: 1 } as const;
  const exchange = link.door === 'batch' ? new LatencyClient(link, start) : new AwaitedLatencyClient(link, start);
  return { start, exchange };
}

function summarize(samples: Float64Array, { iterations, warmup }: LatencyPlan): LatencyResult | undefined {
  const statistics = latencyStatistics(samples);
  if (!statistics) return undefined;
  const complete = samples.length === iterations;
  return { ...statistics, iterations: samples.length, warmup, complete, histogram: latencyHistogram(samples) };
}

/** No more messages in flight than the shorter of the two queues holds. */
function limitWindow(link: Link, { window }: Parameters, { warnings }: PingpongResult): number {
  const limit = Math.min(link.local.transmitSize, link.remote.receiveSize);
  if (window <= limit) return window;
  warnings.push({
    code: 'WINDOW_LIMITED',
    message: `window ${limit} instead of ${window}: the queues hold no more`,
  });
  return limit;
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
