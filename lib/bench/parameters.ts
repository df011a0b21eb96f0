import type { Thresholds } from './gates.js';
import type { Pin } from './pin.js';
import {
  DEFAULT_PORT,
  ENDPOINT_TYPES,
  MAX_MESSAGE_BYTES,
  MAX_STREAMS,
  MAX_WINDOW,
  OPERATIONS,
  POLLS,
  type EndpointType,
  type Operation,
  type Phase,
  type Poll,
} from './protocol.js';
import type { Measurement, PingpongResult } from './result.js';

/** How completions are awaited: in batches without promises, or with a promise an operation. */
export const DOORS = ['batch', 'await'] as const;
/** One of them. */
export type Door = (typeof DOORS)[number];

/** Latency, bandwidth, bandwidth in both directions at once, or messages a second. */
export const TESTS = ['lat', 'bw', 'bibw', 'rate'] as const;
/** One of them. */
export type Test = (typeof TESTS)[number];

/** What a client may ask for. */
export interface PingpongOptions {
  /** The server's name or address. @defaultValue `'127.0.0.1'` */
  host?: string;
  /** The server's control port. @defaultValue 47593 */
  port?: number;
  /** Use this provider and no other, by libfabric's name: `'efa'`, `'tcp;ofi_rxm'`. */
  provider?: string;
  /** Fail rather than use anything else than this provider; the others are still reported on. */
  require?: string;
  /** Measure over software although this host has a device for RDMA. @defaultValue false: `FALLBACK_REFUSED` */
  allowFallback?: boolean;
  /** Fail with `THRESHOLD`, after the measurement, when a figure is worse. */
  thresholds?: Thresholds;
  /** FI_EP_RDM, FI_EP_MSG (a connection a stream), or FI_EP_DGRAM. @defaultValue `'rdm'` */
  endpointType?: EndpointType;
  /**
   * What moves the data: fi_send(3), fi_tsend(3), fi_write(3), fi_read(3), or fi_writedata(3). Of `write` and `read` the
   * other end sees nothing: latency is then the time of an operation, with FI_DELIVERY_COMPLETE for a write. They, and
   * `writedata`, need `rdm`. @defaultValue `'msg'`
   */
  operation?: Operation;
  /** Bytes of each message to measure. @defaultValue 64, 256, 1 KiB, 4 KiB, and but for `rate` 64 KiB, 1 MiB */
  sizes?: readonly number[];
  /**
   * Round trips a size. @defaultValue 10 000, from 64 KiB 1000, from 1 MiB 100, and fewer where
   * they would take more than a second
   */
  iterations?: number;
  /** Milliseconds of each phase of a size, instead of `iterations`. */
  time?: number;
  /** Round trips before the first that counts. @defaultValue a tenth of `iterations`, from 10 to 1000 */
  warmup?: number;
  /** Messages in flight in each stream of the bandwidth phase; less where a queue is shorter. @defaultValue 64 */
  window?: number;
  /** Endpoints at each end that share the bandwidth phase; latency is of one. @defaultValue 1 */
  streams?: number;
  /** @defaultValue `lat` and `bw` */
  test?: Test;
  /** @defaultValue `'batch'`; `'await'` with `writedata`, and where `poll` is not `spin` */
  door?: Door;
  /** How the promise door waits. The batch door spins. @defaultValue `'auto'`, with the batch door `'spin'` */
  poll?: Poll;
  /** Keep this thread on one processor meanwhile. @defaultValue left to the scheduler */
  pin?: Pin;
  /** Compare every message with what was sent, which the figures then include. @defaultValue false: those of the warm-up, and the last */
  verify?: boolean;
  /** Keep every sample in the result. @defaultValue false */
  samples?: boolean;
  /** Milliseconds that any phase may take without progress. @defaultValue 10 000 */
  timeout?: number;
  /** Ends the measurement; what was measured is in the error's `partial`. */
  signal?: AbortSignal;
  /** Called once, when the data path is open: the result so far, without measurements. */
  onSelected?: (result: PingpongResult) => void;
  /** Called as the measurement goes on, a few times a second at most for each size. */
  onProgress?: (progress: Progress) => void;
  /** Called when a size is measured. */
  onMeasurement?: (measurement: Measurement) => void;
}

/** How far a measurement is. */
export interface Progress {
  phase: Phase;
  /** Bytes of a message. */
  size: number;
  /** Which of the sizes this is, from 0, and of how many. */
  sizeIndex: number;
  sizeCount: number;
  /** Of this phase, warm-up included. */
  iteration: number;
  iterations: number;
}

/** Parameters with every default in its place. */
export interface Parameters {
  host: string;
  port: number;
  provider?: string;
  require?: string;
  endpointType: EndpointType;
  operation: Operation;
  sizes: number[];
  iterations?: number;
  /** In milliseconds. */
  time?: number;
  warmup?: number;
  window: number;
  streams: number;
  test?: Test;
  door: Door;
  poll: Poll;
  pin?: Pin;
  verify: boolean;
  samples: boolean;
  /** In milliseconds. */
  timeout: number;
}

/** The default deadline of every phase, in milliseconds. */
export const DEFAULT_TIMEOUT = 10_000;

const DEFAULT_SIZES = [64, 256, 1024, 4096, 65_536, 1_048_576] as const;
const DEFAULT_RATE_SIZES = [64, 256, 1024, 4096] as const;
const MOST_ITERATIONS = 100_000_000;
const MOST_MILLISECONDS = 24 * 3600 * 1000;

/** Fills in the defaults. Throws a RangeError that names the parameter. */
export function completeParameters(options: PingpongOptions): Parameters {
  const { host = '127.0.0.1', port = DEFAULT_PORT, timeout = DEFAULT_TIMEOUT, test, pin } = options;
  const { endpointType = 'rdm', operation = 'msg', verify = false, samples = false } = options;
  const { provider, require, iterations, time, warmup, window = 64, streams = 1 } = options;
  const needsPromises = operation === 'writedata' || (options.poll !== undefined && options.poll !== 'spin');
  const { door = needsPromises ? 'await' : 'batch' } = options;
  const { poll = door === 'batch' ? 'spin' : 'auto' } = options;
  const sizes = [...(options.sizes ?? (test === 'rate' ? DEFAULT_RATE_SIZES : DEFAULT_SIZES))];
  if (sizes.length === 0) throw new RangeError('sizes: at least one is needed');
  for (const size of sizes) checkWhole('sizes', size, 1, MAX_MESSAGE_BYTES);
  if (iterations !== undefined) checkWhole('iterations', iterations, 1, MOST_ITERATIONS);
  if (time !== undefined) checkWhole('time', time, 1, MOST_MILLISECONDS);
  if (warmup !== undefined) checkWhole('warmup', warmup, 0, MOST_ITERATIONS);
  checkWhole('window', window, 1, MAX_WINDOW);
  checkWhole('streams', streams, 1, MAX_STREAMS);
  checkPort(port);
  checkTimeout(timeout);
  checkChoice('endpointType', endpointType, ENDPOINT_TYPES);
  checkChoice('operation', operation, OPERATIONS);
  checkChoice('door', door, DOORS);
  checkChoice('poll', poll, POLLS);
  if (test !== undefined) checkChoice('test', test, TESTS);
  checkPin(pin);
  const parameters = {
    host,
    port,
    endpointType,
    operation,
    sizes,
    window,
    streams,
    door,
    poll,
    verify,
    samples,
    timeout,
  };
  const given = { provider, require, iterations, time, warmup, test, pin };
  const complete = { ...parameters, ...withoutUndefined(given) };
  checkTogether(complete);
  return complete;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** What each is allowed for itself, and not with the other. */
function checkTogether({ operation, endpointType, door, poll, streams, test, iterations, time }: Parameters): void {
  const isMessage = operation === 'msg' || operation === 'tagged';
  const rules: [boolean, string][] = [
    [time !== undefined && iterations !== undefined, 'time: not together with iterations'],
    [!isMessage && endpointType !== 'rdm', `operation: ${operation} needs endpoint type rdm, not ${endpointType}`],
    [operation === 'tagged' && endpointType === 'dgram', 'operation: tagged needs endpoint type rdm or msg, not dgram'],
    [test === 'bibw' && !isMessage, `test: bibw needs operation msg or tagged, not ${operation}`],
    [test === 'bibw' && endpointType === 'dgram', 'test: bibw needs endpoint type rdm or msg, not dgram'],
    [operation === 'writedata' && door === 'batch', 'door: operation writedata needs await'],
    [operation === 'writedata' && streams > 1, 'streams: operation writedata has one'],
    [door === 'batch' && poll !== 'spin', `poll: the batch door spins; ${poll} needs door await`],
  ];
  const broken = rules.find(([isBroken]) => isBroken);
  if (broken) throw new RangeError(broken[1]);
}

/** Throws a RangeError unless this is a port that a pingpong may use. */
export function checkPort(port: number): void {
  checkWhole('port', port, 0, 65_535);
  if (port === 47_592) {
    throw new RangeError("port: 47592 is that of C's fi_pingpong, which a connection of another program kills");
  }
}

/** The highest number of a processor that a cpu_set_t has. */
const MAX_PROCESSOR = 1023;

/** Throws a RangeError unless this is a processor, or none. */
export function checkPin(pin: Pin | undefined): void {
  if (pin !== undefined && pin !== 'auto') checkWhole('pin', pin, 0, MAX_PROCESSOR);
}

/** Throws a RangeError unless this is a deadline in milliseconds that a timer can keep. */
export function checkTimeout(timeout: number): void {
  checkWhole('timeout', timeout, 1, 2 ** 31 - 1);
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name}: a whole number from ${least} to ${most}, not ${value}`);
}

function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new RangeError(`${name}: ${choices.join(', ')}, not ${value}`);
}
