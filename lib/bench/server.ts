import type { AddressInfo, Server, Socket } from 'node:net';
import { discover, groupCandidates, providerOf } from './candidates.js';
import { listen } from './connect.js';
import { ControlChannel, plainAddress } from './control-channel.js';
import { BenchError } from './errors.js';
import { checkPin, checkPort, checkTimeout, DEFAULT_TIMEOUT } from './parameters.js';
import { runServerPhase } from './phase.js';
import { DEFAULT_PORT, ENDPOINT_TYPES, parseHello, type Hello, type Wants } from './protocol.js';
import { makeHello } from './hello.js';
import { openLink } from './open-link.js';
import { pinThread, type Pin } from './pin.js';

/** How to serve. */
export interface ServeOptions {
  /** The control port; 0 lets the system choose one. @defaultValue 47593 */
  port?: number;
  /** The address to listen on. @defaultValue every address of this host */
  bind?: string;
  /** Offer this provider and no other. */
  provider?: string;
  /** Serve one client after another until the signal fires. @defaultValue false: one client */
  keep?: boolean;
  /** Keep this thread on one processor during a session. @defaultValue left to the scheduler */
  pin?: Pin;
  /** Milliseconds that any phase of a session may take without progress. @defaultValue 10 000 */
  timeout?: number;
  /** Ends the server, and a session that runs. */
  signal?: AbortSignal;
  /** Called once clients can connect. */
  onListening?: (at: { address: string; port: number; providers: string[] }) => void;
  /** Called for each connection that did not become a session: garbage, silence, one too many. */
  onRefused?: (peer: string, error: unknown) => void;
  /** Called at the end of each session. */
  onSession?: (session: ServedSession) => void;
}

/** A session as the server saw it; the measurements are the client's. */
export interface ServedSession {
  /** The client's address. */
  peer: string;
  /** The client's host name. */
  host: string;
  provider?: string;
  protocol?: string;
  /** The processor that this end was kept on, where it was. */
  processor?: number;
  /** Phases of measurement that were completed. */
  phases: number;
  /** Why the session ended early. */
  error?: unknown;
}

/** What a server has done. */
export interface ServeResult {
  sessions: ServedSession[];
  /** Whether the signal ended it. */
  interrupted: boolean;
}

/**
 * Answers `pingpong`, one client at a time. Resolves after its session, or with `keep` when the
 * signal fires; a session that failed is part of the result. Rejects with a BenchError when it
 * cannot listen, or has no provider.
 */
export async function serve(options: ServeOptions = {}): Promise<ServeResult> {
  const { port = DEFAULT_PORT, timeout = DEFAULT_TIMEOUT, bind, provider, pin, signal } = options;
  checkPort(port);
  checkTimeout(timeout);
  checkPin(pin);
  const providers = offered(provider);
  const listener = await listen(port, bind);
  const server = new PingpongServer(timeout, options);
  try {
    const { address, port: actualPort } = listener.address() as AddressInfo;
    const finished = server.run(listener);
    options.onListening?.({ address, port: actualPort, providers });
    await finished;
  } finally {
    listener.close();
  }
  return { sessions: server.sessions, interrupted: signal?.aborted ?? false };
}

/** The providers that it has for clients, whatever endpoints they want. @throws BenchError `NO_PROVIDER` */
function offered(provider: string | undefined): string[] {
  const found: string[] = [];
  let reason: unknown;
  for (const endpointType of ENDPOINT_TYPES) {
    try {
      found.push(...discover({ endpointType, operation: 'msg' }, provider).infos.map(providerOf));
    } catch (error) {
      reason ??= error;
    }
  }
  if (found.length === 0) throw reason;
  return [...new Set(found)];
}

class PingpongServer {
  readonly sessions: ServedSession[] = [];
  readonly #timeout: number;
  readonly #options: ServeOptions;
  readonly #handshakes = new Set<ControlChannel>();
  #isBusy = false;
  #finish: () => void = () => undefined;

  constructor(timeout: number, options: ServeOptions) {
    this.#timeout = timeout;
    this.#options = options;
  }

  /** Takes connections until its work is done. */
  async run(listener: Server): Promise<void> {
    const { signal } = this.#options;
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    const onAbort = (): void => {
      // A session that runs ends itself, and then the server.
      if (!this.#isBusy) this.#finish();
    };
    signal?.addEventListener('abort', onAbort);
    listener.on('connection', (socket) => void this.#serve(socket));
    if (signal?.aborted) onAbort();
    await finished;
    signal?.removeEventListener('abort', onAbort);
    for (const channel of this.#handshakes) channel.stop(busy());
  }

  async #serve(socket: Socket): Promise<void> {
    const peer = plainAddress(socket.remoteAddress);
    const channel = new ControlChannel(socket, this.#timeout, this.#options.signal);
    let hello: Hello;
    this.#handshakes.add(channel);
    try {
      hello = parseHello(await channel.receiveAny());
      if (this.#isBusy) throw busy();
    } catch (error) {
      channel.stop(error);
      this.#options.onRefused?.(peer, error);
      return;
    } finally {
      this.#handshakes.delete(channel);
    }

    this.#isBusy = true;
    const session: ServedSession = { peer, host: hello.host.name, phases: 0 };
    this.sessions.push(session);
    try {
      await this.#runSession(channel, session, hello.wants);
      channel.close();
    } catch (error) {
      session.error = error;
      channel.stop(error);
    }
    this.#isBusy = false;
    this.#options.onSession?.(session);
    if (this.#options.keep !== true || this.#options.signal?.aborted) this.#finish();
  }

  async #runSession(channel: ControlChannel, session: ServedSession, wants: Wants): Promise<void> {
    const { provider, pin } = this.#options;
    const discovery = discover(wants, provider);
    const { localAddress } = channel;
    const local = groupCandidates(discovery.infos, localAddress);
    channel.send(makeHello(discovery, local, wants, localAddress));
    channel.phase = 'negotiation';
    const plan = await channel.receive('plan');
    session.provider = plan.provider;
    session.protocol = plan.protocol;
    if (plan.operation !== wants.operation) throw broken(`operation ${plan.operation} was not announced`);
    using link = await openLink(channel, 'server', local, plan, plan, this.#timeout);
    using pinned = pin === undefined ? undefined : pinThread(pin, link.local.domain);
    if (pinned) session.processor = pinned.processor;
    for (;;) {
      const message = await link.progressUntil(channel.receive('start', 'done'));
      if (message.type === 'done') break;
      if (message.size > plan.maxSize) {
        throw broken(`size ${message.size} was not planned`);
      }
      await runServerPhase(link, channel, message, this.#timeout);
      session.phases++;
    }
    channel.send({ type: 'done' });
  }
}

function broken(what: string): BenchError {
  return new BenchError('MISMATCH', `the other end broke the protocol: ${what}`);
}

function busy(): BenchError {
  return new BenchError('BUSY', 'this server is busy with another client', {
    hint: 'try again when its session is over',
  });
}
