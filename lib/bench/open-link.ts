/** Opens the data path that the ends have agreed on: endpoints, connections where they have some, and memory. */
import { ANY_ADDRESS } from '../binding.js';
import {
  CompletionQueue,
  ConnectedEndpoint,
  Domain,
  Endpoint,
  EventQueue,
  Fabric,
  FabricError,
  PassiveEndpoint,
  type ConnectionRequest,
  type Info,
} from '../index.js';
import { findInfo, type LocalCandidate } from './candidates.js';
import type { ControlChannel } from './control-channel.js';
import { BenchError } from './errors.js';
import { describeEnd, Link, type OpenStreams } from './link.js';
import type { Role } from './pattern.js';
import type { Candidate, Message } from './protocol.js';

/** Opens this end of what was agreed, and connects it with the other end's. `timeout`: milliseconds for a connection. */
export async function openLink(
  channel: ControlChannel,
  role: Role,
  local: readonly LocalCandidate[],
  agreed: Pick<Candidate, 'provider' | 'protocol' | 'fabric'>,
  plan: Message<'plan'>,
  timeout: number,
): Promise<Link> {
  channel.phase = 'endpoint set-up';
  const info = findInfo(local, agreed, plan.addressFormat);
  const openConnected = role === 'client' ? connectStreams : acceptStreams;
  const open = info.epAttr.type === 'FI_EP_MSG' ? openConnected : openConnectionless;
  let streams: OpenStreams | undefined;
  try {
    streams = await open(channel, info, plan, timeout);
    const link = new Link(streams, plan, role);
    await link.shareMemory(channel);
    return link;
  } catch (error) {
    streams?.close();
    throw (await channel.failureWithin(error instanceof FabricError ? 100 : 0)) ?? explain(error, agreed.provider);
  }
}

/** What the provider refuses before any data has moved means that it cannot be used, or that there is no way. */
function explain(error: unknown, provider: string): unknown {
  if (!(error instanceof FabricError)) return error;
  const isConnecting = ['fi_connect', 'fi_accept'].includes(error.syscall);
  if (isConnecting && error.code === 'FI_ETIMEDOUT') {
    return new BenchError('STALLED', `stalled in data connection: ${error.message}`, { cause: error });
  }
  if (isConnecting) {
    return new BenchError('UNREACHABLE', `the control connection is there, but no data connection: ${error.message}`, {
      hint: 'likely a firewall; FI_TCP_PORT_LOW_RANGE and FI_TCP_PORT_HIGH_RANGE choose the ports of tcp',
      cause: error,
    });
  }
  return new BenchError('NO_PROVIDER', `${provider} cannot be opened: ${error.message}`, {
    hint: error.hint ?? 'choose another provider with -p',
    cause: error,
  });
}

/** In the batch door the loops drive the queue themselves; nothing else may take completions. */
const progressOf = ({ door, poll }: Message<'plan'>): 'manual' | Message<'plan'>['poll'] =>
  door === 'batch' ? 'manual' : poll;

/** Room for a completion of everything that all streams can have posted. */
const queueSize = ({ txAttr, rxAttr }: Info, { streams }: Message<'plan'>): number =>
  Math.min((txAttr.size + rxAttr.size) * streams, 1 << 16);

async function openConnectionless(channel: ControlChannel, info: Info, plan: Message<'plan'>): Promise<OpenStreams> {
  const first = Endpoint.open(info, { progress: progressOf(plan), size: queueSize(info, plan) });
  try {
    const { domain, completionQueue, addressVector, eventQueue } = first;
    const others = Array.from(
      { length: plan.streams - 1 },
      () => new Endpoint(domain, { completionQueue, addressVector, eventQueue }, info),
    );
    const endpoints = [first, ...others];
    const addresses = endpoints.map(({ address }) => address);
    const local = describeEnd(first.info, addresses, (address) => addressVector.straddr(address), channel);
    channel.send(local);
    const remote = await channel.receive('ready');
    const streams = endpoints.map((endpoint, index) => ({
      endpoint,
      peer: addressVector.insert(Buffer.from(addressOf(remote, index), 'hex')),
    }));
    return {
      info: first.info,
      streams,
      local,
      remote,
      close: () => {
        first.close();
      },
    };
  } catch (error) {
    first.close();
    throw error;
  }
}

function addressOf({ addresses }: Message<'ready'>, index: number): string {
  const address = addresses[index];
  if (address !== undefined) return address;
  throw new BenchError('MISMATCH', `the other end has ${addresses.length} streams, and was to have more`);
}

/** The client's half of connections: the server says first where it listens. */
async function connectStreams(
  channel: ControlChannel,
  info: Info,
  plan: Message<'plan'>,
  timeout: number,
): Promise<OpenStreams> {
  const fabric = new Fabric(info);
  try {
    const remote = await channel.receive('ready');
    const address = Buffer.from(addressOf(remote, 0), 'hex');
    const set = openSet(fabric, info, plan);
    const endpoints: ConnectedEndpoint[] = [];
    for (let index = 0; index < plan.streams; index++) {
      const endpoint = new ConnectedEndpoint(set.domain, set, info);
      await endpoint.connect({ address, timeout });
      endpoints.push(endpoint);
    }
    const local = describeEnd(
      info,
      endpoints.map((endpoint) => endpoint.address),
      hexadecimal,
      channel,
    );
    channel.send(local);
    return connected(fabric, info, endpoints, local, remote);
  } catch (error) {
    fabric.close();
    throw error;
  }
}

/** The server's half: listens, says where, and accepts a connection for each stream. */
async function acceptStreams(
  channel: ControlChannel,
  info: Info,
  plan: Message<'plan'>,
  timeout: number,
): Promise<OpenStreams> {
  const fabric = new Fabric(info);
  let timer: NodeJS.Timeout | undefined;
  try {
    const set = openSet(fabric, info, plan);
    const passive = new PassiveEndpoint(fabric, { eventQueue: set.eventQueue }, info);
    const requests: ConnectionRequest[] = [];
    const requested = new Promise<void>((resolve, reject) => {
      passive.listen({
        onRequest: (request) => {
          if (requests.push(request) === plan.streams) resolve();
        },
      });
      const startedAt = performance.now();
      // The control connection is the only thing that says that the client has gone.
      timer = setInterval(() => {
        if (channel.failure) reject(channel.failure);
        else if (performance.now() - startedAt > timeout) reject(notConnected(timeout));
      }, POLL_MILLISECONDS);
    });
    // Looked at only while a connection is awaited.
    requested.catch(() => undefined);
    const local = describeEnd(info, [passive.address], hexadecimal, channel);
    channel.send(local);
    channel.phase = 'data connection';
    const endpoints: ConnectedEndpoint[] = [];
    // The client makes one connection after another.
    for (let index = 0; index < plan.streams; index++) {
      while (requests[index] === undefined) await Promise.race([requested, nextPoll()]);
      const endpoint = new ConnectedEndpoint(set.domain, set, requests[index]);
      await endpoint.accept({ timeout });
      endpoints.push(endpoint);
    }
    const remote = await channel.receive('ready');
    return connected(fabric, info, endpoints, local, remote);
  } catch (error) {
    fabric.close();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

const POLL_MILLISECONDS = 5;
const nextPoll = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));

function notConnected(timeout: number): BenchError {
  return new BenchError(
    'STALLED',
    `stalled in data connection: the client did not connect within ${timeout / 1000} s`,
    { hint: 'likely a firewall between the data addresses' },
  );
}

function openSet(
  fabric: Fabric,
  info: Info,
  plan: Message<'plan'>,
): { domain: Domain; completionQueue: CompletionQueue; eventQueue: EventQueue } {
  const domain = new Domain(fabric, info);
  const completionQueue = new CompletionQueue(domain, { size: queueSize(info, plan), progress: progressOf(plan) });
  return { domain, completionQueue, eventQueue: new EventQueue(fabric) };
}

function connected(
  fabric: Fabric,
  info: Info,
  endpoints: readonly ConnectedEndpoint[],
  local: Message<'ready'>,
  remote: Message<'ready'>,
): OpenStreams {
  return {
    info,
    streams: endpoints.map((endpoint) => ({ endpoint, peer: ANY_ADDRESS })),
    local,
    remote,
    close: () => {
      for (const endpoint of endpoints) {
        if (!endpoint.closed && endpoint.state === 'connected') endpoint.shutdown();
      }
      fabric.close();
    },
  };
}

const hexadecimal = (address: Uint8Array): string => Buffer.from(address).toString('hex');
