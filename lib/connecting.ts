/** Waiting for a connection, and how that ends when there will be none. */
import { ERRORS } from './constants.js';
import { FabricError, fabricError, show, type FabricErrorDetails } from './errors.js';

/** Options of connecting and accepting. */
export interface ConnectOptions {
  /** Private data for the peer; {@link ConnectedEndpoint.dataSize} says how much. */
  readonly data?: Uint8Array | undefined;
  /** Gives up, and closes the endpoint: libfabric connects it once only. */
  readonly signal?: AbortSignal | undefined;
  /** Gives up likewise after so many milliseconds, with `FI_ETIMEDOUT`; Infinity waits for ever. @defaultValue 30000 */
  readonly timeout?: number | undefined;
}

/** The peer refused the connection, or nobody was there. */
export class ConnectionRejectedError extends FabricError {
  /** The private data with which it was rejected, empty when there was none. */
  readonly data: Buffer;

  /** @internal */
  constructor(message: string, details: FabricErrorDetails, data: Buffer) {
    super(message, details);
    this.data = data;
  }

  static {
    this.prototype.name = 'ConnectionRejectedError';
  }
}

/** How a connection begins. */
export type ConnectCall = 'fi_connect' | 'fi_accept';

const DEFAULT_TIMEOUT = 30_000;
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** What has not happened when the time is over. */
const WAITING_FOR: Readonly<Record<ConnectCall, string>> = {
  fi_connect: 'the listener had not answered the request',
  fi_accept: 'the connection that was accepted was not there',
};

/** What to try when a connection is refused, by error. */
const HINTS: Readonly<Record<number, string>> = {
  [ERRORS.FI_ECONNREFUSED]: 'Nobody listens at that address, or the listener has rejected the connection.',
  [ERRORS.FI_ENOENT]: 'The peer closed the connection before it was there.',
  [ERRORS.FI_ETIMEDOUT]: 'The host does not answer: check the address and firewalls.',
  [ERRORS.FI_EHOSTUNREACH]: 'There is no route to the host.',
  [ERRORS.FI_ENETUNREACH]: 'There is no route to the network.',
};

/** Somebody waits for a connection: until it is there, refused, or not wanted any more. */
export class Connecting {
  readonly promise: Promise<Buffer>;
  #settle!: { resolve: (data: Buffer) => void; reject: (error: Error) => void };
  readonly #stop: () => void;

  /** @param giveUp - Called, after the promise was rejected, when the signal fires or the time is over. */
  constructor(
    readonly syscall: ConnectCall,
    { signal, timeout = DEFAULT_TIMEOUT }: ConnectOptions,
    giveUp: () => void,
  ) {
    this.promise = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    const end = (reason: Error): void => {
      this.reject(reason);
      giveUp();
    };
    const abort = (): void => {
      end(signal?.reason as Error);
    };
    const expire = (): void => {
      const hint = `After ${timeout} ms ${WAITING_FOR[syscall]}.`;
      end(this.error('', { errno: ERRORS.FI_ETIMEDOUT, syscall, hint }));
    };
    signal?.addEventListener('abort', abort, { once: true });
    // The event queue keeps the process alive meanwhile.
    const timer = timeout > LONGEST_TIMEOUT ? undefined : setTimeout(expire, timeout).unref();
    this.#stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  }

  /** The connection is there. @param data - Private data of the peer. */
  resolve(data: Buffer): void {
    this.#stop();
    this.#settle.resolve(data);
  }

  reject(error: Error): void {
    this.#stop();
    this.#settle.reject(error);
  }

  /** An error of this wait. @param what - What goes after "cannot connect". */
  error(what: string, details: FabricErrorDetails): FabricError {
    return fabricError(`cannot ${nameOf(this.syscall)}${what}`, details);
  }
}

/** The error of a connection that was refused, with what to try. */
export function refusal(
  syscall: ConnectCall,
  errno: number,
  provider: FabricErrorDetails['provider'],
  data: Buffer,
): ConnectionRejectedError {
  const details = { errno, syscall, provider, hint: HINTS[errno] };
  return new ConnectionRejectedError(fabricError(`cannot ${nameOf(syscall)}`, details).message, details, data);
}

/** @throws RangeError for what is no time to wait. */
export function checkTimeout(timeout: number | undefined): void {
  if (timeout === undefined || (typeof timeout === 'number' && timeout >= 0)) return;
  throw new RangeError(`options.timeout: expected milliseconds, not ${show(timeout)}`);
}

/** `'connect'` of `'fi_connect'`. */
export const nameOf = (syscall: ConnectCall): string => syscall.replace('fi_', '');
