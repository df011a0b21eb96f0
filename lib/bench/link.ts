import { setImmediate as nextTurn } from 'node:timers/promises';
import { CompletionBatch, Endpoint, type Info } from '../index.js';
import { domainOf, providerOf } from './candidates.js';
import type { ControlChannel } from './control-channel.js';
import { formatSocketAddress, readSocketAddress } from './data-address.js';
import type { Door } from './parameters.js';
import { fillPattern, type Role } from './pattern.js';
import { MAX_MESSAGE_BYTES, type Message } from './protocol.js';

/** The open data path of one end: its endpoint, its peer, and the memory that messages use. */
export class Link implements Disposable {
  readonly endpoint: Endpoint;
  readonly door: Door;
  readonly role: Role;
  /** What completions are read into. */
  readonly batch = new CompletionBatch(64);
  /** What this end sends, filled with its pattern. */
  readonly transmitBuffer: Buffer;
  /** Where every message arrives: contents are checked, never kept. */
  readonly receiveBuffer: Buffer;
  /** What this end said about itself. */
  readonly local: Message<'ready'>;
  #peer: number | undefined;
  #remote: Message<'ready'> | undefined;

  constructor(info: Info, door: Door, role: Role, maxSize: number, channel: ControlChannel) {
    this.door = door;
    this.role = role;
    this.transmitBuffer = Buffer.alloc(maxSize);
    this.receiveBuffer = Buffer.alloc(maxSize);
    fillPattern(this.transmitBuffer, role);
    // In the batch door the loops drive the queue themselves; nothing else may take completions.
    this.endpoint = Endpoint.open(info, { progress: door === 'batch' ? 'manual' : 'auto' });
    this.local = describeEnd(this.endpoint, channel);
  }

  /** The peer's address in the address vector. */
  get peer(): number {
    if (this.#peer === undefined) throw new Error('the link has no peer yet');
    return this.#peer;
  }

  /** What the other end said about itself. */
  get remote(): Message<'ready'> {
    if (!this.#remote) throw new Error('the link has no peer yet');
    return this.#remote;
  }

  /** Makes the other end known to the endpoint. */
  connect(remote: Message<'ready'>): void {
    this.#remote = remote;
    this.#peer = this.endpoint.addressVector.insert(Buffer.from(remote.address, 'hex'));
  }

  /**
   * Waits for something outside of libfabric while the endpoint goes on making progress: the peer
   * may need our half of a transfer that is over for us.
   */
  async progressUntil<T>(awaited: Promise<T>): Promise<T> {
    if (this.door === 'await') return awaited;
    const wait = { isOver: false };
    const end = (): void => {
      wait.isOver = true;
    };
    awaited.then(end, end);
    while (!wait.isOver) {
      this.endpoint.completionQueue.read(this.batch, 0);
      await nextTurn();
    }
    return awaited;
  }

  [Symbol.dispose](): void {
    this.endpoint.close();
  }
}

function describeEnd(endpoint: Endpoint, channel: ControlChannel): Message<'ready'> {
  const { info, address } = endpoint;
  const socketAddress = readSocketAddress(info.addrFormat, address);
  return {
    type: 'ready',
    address: Buffer.from(address).toString('hex'),
    dataAddress: socketAddress ? formatSocketAddress(socketAddress) : endpoint.addressVector.straddr(address),
    controlAddress: channel.localAddress,
    provider: providerOf(info),
    domain: domainOf(info),
    transmitSize: info.txAttr.size,
    receiveSize: info.rxAttr.size,
    // "No limit" is 2⁶⁴ - 1, which no number says exactly.
    maxMessageSize: Math.min(info.epAttr.maxMsgSize, MAX_MESSAGE_BYTES),
  };
}
