/**
 * `node-libfabric/bench`: latency and bandwidth between two processes over libfabric, as a library.
 * `serve` on one host, `pingpong` on the other; `fabric-pingpong` is these two with a table.
 */
export { classicPingpong } from './compat/classic.js';
export { fabtestsPingpong, type FabtestsOptions } from './compat/fabtests.js';
export { ClassicError, type ClassicMeasurement, type ClassicResult, type CompatProgram } from './compat/result.js';
export type { ClassicOptions } from './compat/options.js';
export { BenchError, type BenchErrorCode } from './errors.js';
export { compareResults, type Comparison } from './compare.js';
export type { CounterDelta } from './counters.js';
export type { Expectation } from './expectation.js';
export { failedThresholds, type Thresholds } from './gates.js';
export type { LatencyHistogram } from './histogram.js';
export { pingpong } from './client.js';
export {
  DEFAULT_TIMEOUT,
  DOORS,
  TESTS,
  type Door,
  type Parameters,
  type PingpongOptions,
  type Progress,
  type Test,
} from './parameters.js';
export { pinPair, type Pin } from './pin.js';
export { DEFAULT_PORT, ENDPOINT_TYPES, OPERATIONS, POLLS, PROTOCOL_VERSION } from './protocol.js';
export type { EndpointType, Operation, Phase, Poll, Rejection } from './protocol.js';
export { REPORT_FORMAT, reportJsonSchema, reportSchema, type Report } from './report.js';
export type { BandwidthResult, EndDescription, LatencyResult, Measurement, PingpongResult, Warning } from './result.js';
export { serve, type ServedSession, type ServeOptions, type ServeResult } from './server.js';
export type { LatencyStatistics } from './statistics.js';
export { watchEventLoop } from './watchdog.js';
