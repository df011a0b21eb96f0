import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  CompletionBatch,
  MemoryRegion,
  RemoteRegion,
  type CompletionQueue,
  type ConnectedEndpoint,
  type Endpoint,
  type Info,
} from '../index.js';
import { domainOf, providerOf } from './candidates.js';
import type { ControlChannel } from './control-channel.js';
import { formatSocketAddress, readSocketAddress } from './data-address.js';
import { needsMemory } from './operations.js';
import type { Door } from './parameters.js';
import { fillPattern, type Role } from './pattern.js';
import { MAX_MESSAGE_BYTES, type Message, type Operation } from './protocol.js';

/** One endpoint, and its peer in the address vector; a connected endpoint has no address for it. */
export interface Stream {
  endpoint: Endpoint | ConnectedEndpoint;
  peer: number;
}

/** Endpoints that know their peers, and how to close them. */
export interface OpenStreams {
  info: Info;
  streams: Stream[];
  /** What this end said about itself … */
  local: Message<'ready'>;
  /** … and the other end. */
  remote: Message<'ready'>;
  close: () => void;
}

/** The open data path of one end: its endpoints, their peers, and the memory that messages use. */
export class Link implements Disposable {
  /** The first of them: latency is measured over one. */
  readonly stream: Stream;
  readonly streams: readonly Stream[];
  readonly queue: CompletionQueue;
  readonly door: Door;
  readonly operation: Operation;
  readonly verifies: boolean;
  readonly role: Role;
  /** What completions are read into. */
  readonly batch = new CompletionBatch(64);
  /** What this end sends, filled with its pattern. */
  readonly transmitBuffer: Buffer;
  /** Where every message arrives: contents are checked, never kept. */
  readonly receiveBuffer: Buffer;
  readonly local: Message<'ready'>;
  readonly remote: Message<'ready'>;
  /** Memory of the other end, where the operation needs it. */
  writable: RemoteRegion | undefined;
  readable: RemoteRegion | undefined;
  readonly #open: OpenStreams;

  constructor(open: OpenStreams, { door, operation, verify, maxSize }: Message<'plan'>, role: Role) {
    this.#open = open;
    this.streams = open.streams;
    this.stream = open.streams[0]!;
    this.queue = this.stream.endpoint.completionQueue;
    this.local = open.local;
    this.remote = open.remote;
    this.door = door;
    this.operation = operation;
    this.verifies = verify;
    this.role = role;
    this.transmitBuffer = Buffer.alloc(maxSize);
    this.receiveBuffer = Buffer.alloc(maxSize);
    fillPattern(this.transmitBuffer, role);
  }

  /** Who sends what arrives here. */
  get sender(): Role {
    return this.role === 'client' ? 'server' : 'client';
  }

  /** How many operations a stream can have posted at once, in each direction. */
  get depth(): number {
    return Math.min(
      this.local.transmitSize,
      this.remote.transmitSize,
      ...(this.operation === 'read' || this.operation === 'write'
        ? []
        : [this.local.receiveSize, this.remote.receiveSize]),
    );
  }

  /** Exchanges what the other end may access, so that both ends know that the other is ready. */
  async shareMemory(channel: ControlChannel): Promise<void> {
    const { domain } = this.stream.endpoint;
    const linked: Message<'linked'> = { type: 'linked' };
    if (needsMemory(this.operation)) {
      linked.writable = new MemoryRegion(domain, this.receiveBuffer).remote().toJSON();
      linked.readable = new MemoryRegion(domain, this.transmitBuffer).remote().toJSON();
    }
    channel.send(linked);
    const { writable, readable } = await this.progressUntil(channel.receive('linked'));
    this.writable = writable && RemoteRegion.fromJSON(writable);
    this.readable = readable && RemoteRegion.fromJSON(readable);
  }

  /**
   * Waits for something outside of libfabric while the endpoints go on making progress: the peer may need our half of a
   * transfer that is over for us. `spinMicroseconds`: how long to serve it before the event loop turns.
   */
  async progressUntil<T>(awaited: Promise<T>, spinMicroseconds = 0): Promise<T> {
    if (this.door === 'await' && spinMicroseconds === 0) return awaited;
    const wait = { isOver: false };
    const end = (): void => {
      wait.isOver = true;
    };
    awaited.then(end, end);
    while (!wait.isOver) {
      this.queue.read(this.batch, spinMicroseconds);
      await nextTurn();
    }
    return awaited;
  }

  [Symbol.dispose](): void {
    this.#open.close();
  }
}

/** What an end says about endpoints that are open, or that listens. */
export function describeEnd(
  info: Info,
  addresses: readonly Uint8Array[],
  straddr: (address: Uint8Array) => string,
  channel: ControlChannel,
): Message<'ready'> {
  const first = addresses[0]!;
  const socketAddress = readSocketAddress(info.addrFormat, first);
  return {
    type: 'ready',
    addresses: addresses.map((address) => Buffer.from(address).toString('hex')),
    dataAddress: socketAddress ? formatSocketAddress(socketAddress) : straddr(first),
    controlAddress: channel.localAddress,
    provider: providerOf(info),
    domain: domainOf(info),
    transmitSize: info.txAttr.size,
    receiveSize: info.rxAttr.size,
    // "No limit" is 2⁶⁴ - 1, which no number says exactly.
    maxMessageSize: Math.min(info.epAttr.maxMsgSize, MAX_MESSAGE_BYTES),
  };
}
