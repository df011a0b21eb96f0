import type { CounterDelta } from './counters.js';
import type { Expectation } from './expectation.js';
import type { LatencyHistogram } from './histogram.js';
import type { Parameters } from './parameters.js';
import type { Rejection } from './protocol.js';
import type { LatencyStatistics } from './statistics.js';

/** One end of the data path. */
export interface EndDescription {
  /** The host's name. */
  host: string;
  /** The version of libfabric. */
  libfabric: string;
  provider: string;
  /** The domain: a network interface or an RDMA device. */
  domain: string;
  /** Where the data leaves from, as libfabric names it. */
  dataAddress: string;
  /** Where the control connection leaves from. */
  controlAddress: string;
}

/** What a user might not expect, although it is no failure. */
export interface Warning {
  code:
    'FALLBACK' | 'DATA_ADDRESS' | 'SIZE_SKIPPED' | 'WINDOW_LIMITED' | 'ONE_PROCESSOR' | 'COUNTERS_FLAT' | 'VERIFIED';
  message: string;
}

/**
 * Latency in microseconds: one way, half of each round trip; of operations `write` and `read` the whole operation, until
 * its completion.
 */
export interface LatencyResult extends LatencyStatistics {
  iterations: number;
  warmup: number;
  /** False where the phase was cut short: the statistics are of what was measured until then. */
  complete: boolean;
  /** Every sample, none dropped. */
  histogram: LatencyHistogram;
  /** Every sample in the order in which they were taken, in microseconds, where they were asked for. */
  samples?: number[];
}

/**
 * Bandwidth: from client to server, each window acknowledged by one small message; of a read from server to client; in
 * both directions together in `bidirectional`.
 */
export interface BandwidthResult {
  /** Messages in flight in each stream. */
  window: number;
  streams: number;
  windows: number;
  messages: number;
  bytes: number;
  milliseconds: number;
  /** 10⁶ bytes a second. */
  megabytesPerSecond: number;
  messagesPerSecond: number;
}

/** All that was measured for one size. */
export interface Measurement {
  /** Bytes of a message. */
  size: number;
  latency?: LatencyResult;
  bandwidth?: BandwidthResult;
  bidirectional?: BandwidthResult;
  /** Small messages as fast as they go: injected where the provider does. */
  rate?: BandwidthResult;
}

/** The result of a pingpong: which way the data took, why, and how fast it was. */
export interface PingpongResult {
  /** The client's name of the provider; the ends may differ where versions of libfabric do. */
  provider: string;
  protocol: string;
  endpointType: string;
  /** Why this provider. */
  reason: string;
  /** Every other provider that either end knows of, and why it was not used. */
  notUsed: Rejection[];
  warnings: Warning[];
  client: EndDescription;
  server: EndDescription;
  parameters: Parameters;
  /** The processor that the client was kept on, where it was. */
  processor?: number;
  /** What the client's device counted over the measurement, with the traffic of others; empty where nobody counts. */
  counters: CounterDelta[];
  /** Where the bandwidth stands; absent where nothing is known about this host. */
  expectation?: Expectation;
  measurements: Measurement[];
}
