/** Connecting to a listener in one line. */
import { CompletionQueue } from './completion-queue.js';
import { ConnectedEndpoint } from './connected-endpoint.js';
import { Connection, connectionSettings, type ConnectionOptions, type ConnectionSettings } from './connection.js';
import { applicationDataSize, decodeGreeting, encodeGreeting } from './connection-protocol.js';
import { checkConnectionData } from './connection-data.js';
import { ERRORS } from './constants.js';
import { Domain } from './domain.js';
import { fabricError, show } from './errors.js';
import { EventQueue } from './event-queue.js';
import { Fabric } from './fabric.js';
import { completeInfo, type Hints, type Info, type InfoLike } from './info.js';
import { select } from './select.js';

/** Which fabric {@link connect} and {@link listen} use. */
export interface ConnectionTarget extends ConnectionOptions {
  /** Provider, such as `'tcp'` or `'verbs'`. @defaultValue the best that has connections */
  readonly provider?: string | undefined;
  /** An interface from {@link getInfo}, of type FI_EP_MSG, instead of provider, host and port. */
  readonly info?: InfoLike | undefined;
  /** Host name or address: of the listener, or of the interface to listen on. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** Options of {@link connect}. */
export interface ConnectToOptions extends ConnectionTarget {
  /** Private data for the listener. Up to 244 bytes with tcp and sockets. */
  readonly data?: Uint8Array | undefined;
  /** Gives up, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Gives up after so many milliseconds, with `FI_ETIMEDOUT`; Infinity waits for ever. @defaultValue 30000 */
  readonly timeout?: number | undefined;
}

const HINTS = { caps: ['FI_MSG'], epAttr: { type: 'FI_EP_MSG' } } as const satisfies Hints;

/**
 * Connects to a {@link listen | listener}.
 *
 * @returns the connection, once the listener has accepted it.
 * @throws ConnectionRejectedError when it is rejected (with the listener's private data) or nobody listens; FabricError for
 *   other failures; the signal's reason when it fires.
 */
export async function connect(options: ConnectToOptions): Promise<Connection> {
  if (options.info === undefined && options.port === undefined) {
    throw new TypeError('options.port: expected a port, or options.info with the address of a listener');
  }
  const info = targetInfo(options, false);
  const settings = connectionSettings(options, info.rxAttr.size);
  const fabric = new Fabric(info);
  try {
    const domain = new Domain(fabric);
    const { connection, endpoint } = openConnection(domain, new EventQueue(fabric), info, settings, () => {
      fabric.close();
    });
    const { data, signal, timeout } = options;
    const greeting = encodeGreeting(settings, checkApplicationData(data, endpoint.dataSize));
    const answer = decodeGreeting(await endpoint.connect({ data: greeting, signal, timeout }));
    if (answer === undefined) {
      throw fabricError('cannot connect', {
        errno: ERRORS.FI_EREMOTEIO,
        syscall: 'fi_connect',
        hint: 'The peer accepted, but is no listener of node-libfabric. Use ConnectedEndpoint for one of another kind.',
      });
    }
    connection.start(answer);
    return connection;
  } catch (error) {
    fabric.close();
    throw error;
  }
}

/** @internal The interface to use: where to connect to, or to listen on. */
export function targetInfo(target: ConnectionTarget, isListener: boolean): Info {
  const { info, host = '127.0.0.1', port = 0, provider } = target;
  if (info !== undefined) return completeInfo(info);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`options.port: expected an integer from 0 to 65535, not ${show(port)}`);
  }
  return select({
    require: provider,
    hints: HINTS,
    node: host,
    service: String(port),
    flags: isListener ? 'FI_SOURCE' : undefined,
  }).info;
}

/** @internal A connection with receives posted, not yet connected. `release` is called when it is over. */
export function openConnection(
  domain: Domain,
  eventQueue: EventQueue,
  from: ConstructorParameters<typeof ConnectedEndpoint>[2] & {},
  settings: ConnectionSettings,
  release: () => void,
): { connection: Connection; endpoint: ConnectedEndpoint } {
  const info = 'info' in from ? from.info : from;
  const completionQueue = new CompletionQueue(domain, { size: Math.min(info.txAttr.size + info.rxAttr.size, 1 << 16) });
  try {
    const endpoint = new ConnectedEndpoint(domain, { completionQueue, eventQueue }, from);
    const connection = new Connection(endpoint, settings, () => {
      completionQueue.close();
      release();
    });
    return { connection, endpoint };
  } catch (error) {
    completionQueue.close();
    throw error;
  }
}

/** @internal @throws RangeError for more private data than there is room for. */
export function checkApplicationData(data: Uint8Array | undefined, dataSize: number): Uint8Array | undefined {
  checkConnectionData(data, applicationDataSize(dataSize));
  return data;
}
