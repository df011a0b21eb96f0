/**
 * `node-libfabric/bench`: latency and bandwidth between two processes over libfabric, as a library.
 * `serve` on one host, `pingpong` on the other; `fabric-pingpong` is these two with a table.
 */
export { classicPingpong } from './compat/classic.js';
export { ClassicError, type ClassicMeasurement, type ClassicResult } from './compat/result.js';
export type { ClassicOptions } from './compat/options.js';
export { BenchError, type BenchErrorCode } from './errors.js';
export { compareResults, type Comparison } from './compare.js';
export type { CounterDelta } from './counters.js';
export type { Expectation } from './expectation.js';
export { failedThresholds, type Thresholds } from './gates.js';
export type { LatencyHistogram } from './histogram.js';
export { pingpong } from './client.js';
export { DEFAULT_TIMEOUT, type Door, type Parameters, type PingpongOptions, type Progress } from './parameters.js';
export { DEFAULT_PORT, PROTOCOL_VERSION } from './protocol.js';
export type { Rejection } from './protocol.js';
export type { BandwidthResult, EndDescription, LatencyResult, Measurement, PingpongResult, Warning } from './result.js';
export { serve, type ServedSession, type ServeOptions, type ServeResult } from './server.js';
export type { LatencyStatistics } from './statistics.js';
export { watchEventLoop } from './watchdog.js';
