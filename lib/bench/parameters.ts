import type { Thresholds } from './gates.js';
import { DEFAULT_PORT, MAX_MESSAGE_BYTES, MAX_WINDOW } from './protocol.js';

/** How completions are awaited: in batches without promises, or with a promise an operation. */
export type Door = 'batch' | 'await';

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
  /** Bytes of each message to measure. @defaultValue 64, 256, 1 KiB, 4 KiB, 64 KiB, 1 MiB */
  sizes?: readonly number[];
  /**
   * Round trips a size. @defaultValue 10 000, from 64 KiB 1000, from 1 MiB 100, and fewer where
   * they would take more than a second
   */
  iterations?: number;
  /** Round trips before the first that counts. @defaultValue a tenth of `iterations`, from 10 to 1000 */
  warmup?: number;
  /** Messages in flight in the bandwidth phase; less where a queue is shorter. @defaultValue 64 */
  window?: number;
  /** Only latency, or only bandwidth. @defaultValue both */
  test?: 'lat' | 'bw';
  /** @defaultValue `'batch'` */
  door?: Door;
  /** Milliseconds that any phase may take without progress. @defaultValue 10 000 */
  timeout?: number;
  /** Ends the measurement; what was measured is in the error's `partial`. */
  signal?: AbortSignal;
  /** Called as the measurement goes on, a few times a second at most for each size. */
  onProgress?: (progress: Progress) => void;
}

/** How far a measurement is. */
export interface Progress {
  phase: 'latency' | 'bandwidth';
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
export type Parameters = Required<Pick<PingpongOptions, 'host' | 'port' | 'sizes' | 'window' | 'door' | 'timeout'>> &
  Pick<PingpongOptions, 'provider' | 'require' | 'test' | 'iterations' | 'warmup'>;

/** The default deadline of every phase, in milliseconds. */
export const DEFAULT_TIMEOUT = 10_000;

const DEFAULT_SIZES = [64, 256, 1024, 4096, 65_536, 1_048_576] as const;
const MOST_ITERATIONS = 100_000_000;

/** Fills in the defaults. Throws a RangeError or TypeError that names the parameter. */
export function completeParameters(options: PingpongOptions): Parameters {
  const sizes = options.sizes ?? DEFAULT_SIZES;
  if (sizes.length === 0) throw new RangeError('sizes: at least one is needed');
  for (const size of sizes) checkWhole('sizes', size, 1, MAX_MESSAGE_BYTES);
  const { iterations, warmup, window = 64, timeout = DEFAULT_TIMEOUT, port = DEFAULT_PORT } = options;
  if (iterations !== undefined) checkWhole('iterations', iterations, 1, MOST_ITERATIONS);
  if (warmup !== undefined) checkWhole('warmup', warmup, 0, MOST_ITERATIONS);
  checkWhole('window', window, 1, MAX_WINDOW);
  checkPort(port);
  checkTimeout(timeout);
  const { door = 'batch', host = '127.0.0.1', provider, require, test } = options;
  if (test !== undefined && !['lat', 'bw'].includes(test))
    throw new RangeError(`test: 'lat' or 'bw', not ${test as string}`);
  return {
    host,
    port,
    sizes: [...sizes],
    window,
    door,
    timeout,
    ...(provider === undefined ? {} : { provider }),
    ...(require === undefined ? {} : { require }),
    ...(test === undefined ? {} : { test }),
    ...(iterations === undefined ? {} : { iterations }),
    ...(warmup === undefined ? {} : { warmup }),
  };
}

/** Throws a RangeError unless this is a port that a pingpong may use. */
export function checkPort(port: number): void {
  checkWhole('port', port, 0, 65_535);
  if (port === 47_592) {
    throw new RangeError("port: 47592 is that of C's fi_pingpong, which a connection of another program kills");
  }
}

/** Throws a RangeError unless this is a deadline in milliseconds that a timer can keep. */
export function checkTimeout(timeout: number): void {
  checkWhole('timeout', timeout, 1, 2 ** 31 - 1);
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name}: a whole number from ${least} to ${most}, not ${value}`);
}
