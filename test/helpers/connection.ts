/** Connections over each provider that this machine has, in this process. */
import {
  CompletionQueue,
  connect,
  ConnectedEndpoint,
  Domain,
  EventQueue,
  Fabric,
  getInfo,
  listen,
  PassiveEndpoint,
  type Connection,
  type ConnectionOptions,
  type ConnectionRequest,
  type Hints,
  type Info,
  type Listener,
} from 'node-libfabric';
import { describe, it, onTestFinished } from 'vitest';
import { within } from './within.js';

const HINTS = { caps: ['FI_MSG'], epAttr: { type: 'FI_EP_MSG' } } as const satisfies Hints;

/** The loopback interface of a provider: to listen on, or to connect to a port. */
export function connectionInfo(provider: string, port?: number): Info {
  const flags = port === undefined ? 'FI_SOURCE' : undefined;
  const query = { node: '127.0.0.1', service: String(port ?? 0), flags } as const;
  const [info] = getInfo({ ...HINTS, fabricAttr: { provName: provider } }, query);
  if (info === undefined) throw new Error(`provider ${provider} has no connections here`);
  return info;
}

/** Describes the same behaviour over each provider with connections. */
export function overEachConnectionProvider(body: (provider: string) => void): void {
  for (const provider of ['tcp', 'net', 'sockets']) {
    const found = getInfo({ ...HINTS, fabricAttr: { provName: provider } });
    if (found.length === 0) it.skip(`over ${provider}: it has no connections here`);
    else
      describe(`over ${provider}`, () => {
        body(provider);
      });
  }
}

/** A promise that somebody else settles. */
export function deferred<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let settle!: [resolve: (value: T) => void, reject: (error: Error) => void];
  const promise = new Promise<T>((...functions) => (settle = functions));
  return { promise, resolve: settle[0], reject: settle[1] };
}

export interface Side {
  readonly fabric: Fabric;
  readonly domain: Domain;
  readonly eventQueue: EventQueue;
}

/** Fabric, domain and event queue, closed when the test has ended. */
export function openSide(info: Info): Side {
  const fabric = new Fabric(info);
  onTestFinished(() => {
    fabric.close();
  });
  return { fabric, domain: new Domain(fabric), eventQueue: new EventQueue(fabric) };
}

/** An endpoint with a completion queue of its own. */
export function openConnectable({ domain, eventQueue }: Side, from?: Info | ConnectionRequest): ConnectedEndpoint {
  return new ConnectedEndpoint(domain, { completionQueue: new CompletionQueue(domain), eventQueue }, from);
}

export interface PassiveSide extends Side {
  readonly passiveEndpoint: PassiveEndpoint;
  readonly port: number;
}

/** A passive endpoint that listens on a free port. */
export function openPassive(provider: string, onRequest?: (request: ConnectionRequest) => void): PassiveSide {
  const side = openSide(connectionInfo(provider));
  const passiveEndpoint = new PassiveEndpoint(side.fabric, side);
  passiveEndpoint.listen({ onRequest });
  return { ...side, passiveEndpoint, port: passiveEndpoint.address.readUInt16BE(2) };
}

export interface EndpointPair {
  readonly client: ConnectedEndpoint;
  readonly server: ConnectedEndpoint;
  readonly passive: PassiveSide;
}

/** Two endpoints that are connected with each other. */
export async function openEndpointPair(provider: string): Promise<EndpointPair> {
  const accepted = deferred<ConnectedEndpoint>();
  const passive = openPassive(provider, (request) => {
    const endpoint = openConnectable(passive, request);
    endpoint.accept().then(() => {
      accepted.resolve(endpoint);
    }, accepted.reject);
  });
  const client = openConnectable(openSide(connectionInfo(provider, passive.port)));
  await within(client.connect(), 'connect');
  return { client, server: await within(accepted.promise, 'accept'), passive };
}

/** A listener that is closed when the test has ended. */
export function openListener(
  options: Parameters<typeof listen>[0],
  handler?: (connection: Connection) => void,
): Listener {
  const listener = listen(options, handler);
  onTestFinished(() => {
    listener.close();
  });
  return listener;
}

/** Both ends of a connection, destroyed when the test has ended. */
export async function openConnections(
  provider: string,
  options: ConnectionOptions = {},
): Promise<[Connection, Connection]> {
  const accepted = deferred<Connection>();
  const listener = openListener({ provider, ...options }, accepted.resolve);
  const client = await within(connect({ provider, port: listener.port, ...options }), 'connect');
  const server = await within(accepted.promise, 'the listener');
  onTestFinished(() => {
    client.destroy();
    server.destroy();
  });
  return [client, server];
}
