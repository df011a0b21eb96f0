/** struct fid_av. */
import { checkAddressBytes, checkNode, checkService } from './address.js';
import { ANY_ADDRESS, binding } from './binding.js';
import { AV_TYPES, ERRORS } from './constants.js';
import { Domain } from './domain.js';
import { check, fabricError, show } from './errors.js';
import { argumentHandle, handleOf, Resource } from './resource.js';

const LARGEST_CLUSTER = 65536;

/** Options of an {@link AddressVector}. */
export interface AddressVectorOptions {
  /** @defaultValue what the domain prefers (FI_AV_UNSPEC) */
  readonly type?: keyof typeof AV_TYPES;
  /** How many addresses are expected; a hint. @defaultValue 0 (unknown) */
  readonly count?: number;
  /** How many bits of an address name a receive context of a scalable endpoint. @defaultValue 0 */
  readonly receiveContextBits?: number;
}

/**
 * The peers that endpoints can reach: fi_av(3).
 *
 * A peer is a small integer here, whatever fi_addr_t the provider gives: what {@link insert} returned is what send and
 * recv take.
 */
export class AddressVector extends Resource {
  /** Stands for any source where an endpoint receives: FI_ADDR_UNSPEC. */
  static readonly ANY = ANY_ADDRESS;

  readonly domain: Domain;
  readonly #receiveContextBits: number;

  /** fi_av_open(3). @throws FabricError when libfabric refuses. */
  constructor(domain: Domain, options: AddressVectorOptions = {}) {
    const domainHandle = argumentHandle(domain, Domain, 'domain');
    const { type = 'FI_AV_UNSPEC', count = 0, receiveContextBits = 0 } = options;
    if (!Object.hasOwn(AV_TYPES, type)) {
      throw new TypeError(`options.type: ${show(type)} is none of ${Object.keys(AV_TYPES).join(', ')}`);
    }
    if (!Number.isInteger(count) || count < 0 || count >= 2 ** 32) {
      throw new RangeError(`options.count: expected an unsigned 32-bit integer, not ${show(count)}`);
    }
    if (!Number.isInteger(receiveContextBits) || receiveContextBits < 0 || receiveContextBits > 16) {
      throw new RangeError(`options.receiveContextBits: expected 0 to 16, not ${show(receiveContextBits)}`);
    }
    const handle = binding.addressVectorOpen(domainHandle, AV_TYPES[type], count, receiveContextBits);
    super(check<number>(handle, 'fi_av_open', 'cannot open an address vector'), binding.addressVectorClose, [domain]);
    this.domain = domain;
    this.#receiveContextBits = receiveContextBits;
  }

  /**
   * Adds a peer: fi_av_insert(3).
   *
   * @param address - What the peer's {@link Endpoint.address} is. Copied.
   * @returns the peer's index.
   * @throws FabricError when the provider cannot use it.
   */
  insert(address: Uint8Array): number {
    checkAddressBytes(address, this.domain.info.addrFormat, 'address');
    return check<number>(
      binding.addressVectorInsert(handleOf(this), address),
      'fi_av_insert',
      'cannot insert an address',
    );
  }

  /**
   * Adds many peers at once, all or none: fi_av_insert(3).
   *
   * @param addresses - As for {@link insert}.
   * @returns their indices, in the same order.
   * @throws FabricError when the provider cannot use one of them, naming it.
   */
  insertMany(addresses: readonly Uint8Array[]): number[] {
    if (!Array.isArray(addresses)) throw new TypeError(`addresses: expected an array, not ${show(addresses)}`);
    const format = this.domain.info.addrFormat;
    const list: readonly Uint8Array[] = addresses;
    list.forEach((address, at) => {
      checkAddressBytes(address, format, `addresses[${at}]`);
    });
    const count = list.length;
    if (count === 0) return [];
    const length = list.reduce((longest, { byteLength }) => Math.max(longest, byteLength), 0);
    const bytes = Buffer.alloc(count * length);
    for (const [at, address] of list.entries()) bytes.set(address, at * length);
    return this.#allOrNone(binding.addressVectorInsertMany(handleOf(this), bytes, count), 'fi_av_insert');
  }

  /**
   * Adds a peer by host name or address and port: fi_av_insertsvc(3). A name is resolved while the thread waits.
   *
   * @param node - `'192.0.2.7'`, `'node7.example'`; of the address family of the domain.
   * @param service - The port.
   * @throws FabricError `FI_ENOSYS` where the provider has no such addresses.
   */
  insertService(node: string, service: string | number): number {
    checkNode(this.domain.info, node, 'node');
    const port = checkService(service, 'service');
    return check<number>(
      binding.addressVectorInsertService(handleOf(this), node, port),
      'fi_av_insertsvc',
      `cannot insert ${node}:${port}`,
    );
  }

  /**
   * Adds the peers of a regular cluster, all or none: fi_av_insertsym(3). From the first address and port it counts up:
   * every port of the first node, then every port of the second …
   *
   * @param first - Address and port of the first peer.
   * @param nodeCount - How many nodes, at neighbouring addresses.
   * @param serviceCount - How many neighbouring ports on each.
   * @returns `nodeCount × serviceCount` indices.
   */
  insertSymmetric(
    first: { readonly node: string; readonly service: number },
    nodeCount: number,
    serviceCount: number,
  ): number[] {
    const { node, service } = first;
    checkNode(this.domain.info, node, 'first.node');
    const port = checkService(service, 'first.service');
    for (const [name, count] of Object.entries({ nodeCount, serviceCount })) {
      if (!Number.isInteger(count) || count < 1 || count > LARGEST_CLUSTER) {
        throw new RangeError(`${name}: expected an integer from 1 to ${LARGEST_CLUSTER}, not ${show(count)}`);
      }
    }
    if (nodeCount * serviceCount > LARGEST_CLUSTER) {
      throw new RangeError(`nodeCount × serviceCount: ${nodeCount * serviceCount} is more than ${LARGEST_CLUSTER}`);
    }
    // the name of a service has no number to count up from
    if (!(Number(port) + serviceCount <= 65_536)) {
      throw new RangeError(
        `first.service: expected ${serviceCount} ports up to 65535, not those from ${show(service)}`,
      );
    }
    return this.#allOrNone(
      binding.addressVectorInsertSymmetric(handleOf(this), node, nodeCount, port, serviceCount),
      'fi_av_insertsym',
    );
  }

  /**
   * Removes a peer: fi_av_remove(3). Its index may be given to another one later.
   *
   * @throws FabricError `FI_EBUSY` while an {@link AddressVectorSet} has it.
   */
  remove(index: number): void {
    this.removeMany([index]);
  }

  /** Removes many peers with one call, all or none: fi_av_remove(3). */
  removeMany(indices: readonly number[]): void {
    for (const index of indices) this.#checkIndex(index);
    if (indices.length === 0) return;
    const result = binding.addressVectorRemove(handleOf(this), indices);
    check(result, 'fi_av_remove', `cannot remove address ${indices.join(', ')}`);
  }

  /**
   * One receive context of a peer's scalable endpoint, as a peer of its own: fi_rx_addr(3). The vector has to have been
   * opened with `receiveContextBits`.
   *
   * @returns its index.
   */
  receiveContext(index: number, context: number): number {
    this.#checkIndex(index);
    const limit = 2 ** this.#receiveContextBits;
    if (!Number.isInteger(context) || context < 0 || context >= limit) {
      throw new RangeError(`context: expected an integer below ${limit} (receiveContextBits), not ${show(context)}`);
    }
    return check<number>(
      binding.addressVectorReceiveContext(handleOf(this), index, context, this.#receiveContextBits),
      'fi_rx_addr',
      `cannot address a receive context of ${index}`,
    );
  }

  /** The bytes of a peer's address: fi_av_lookup(3). */
  lookup(index: number): Buffer {
    this.#checkIndex(index);
    return check<Buffer>(
      binding.addressVectorLookup(handleOf(this), index),
      'fi_av_lookup',
      `cannot look up address ${index}`,
    );
  }

  /** An address as people read it, such as `'fi_sockaddr_in://192.0.2.2:41000'`: fi_av_straddr(3). */
  straddr(address: Uint8Array): string {
    checkAddressBytes(address, this.domain.info.addrFormat, 'address');
    return check<string>(binding.addressVectorText(handleOf(this), address), 'fi_av_straddr', 'cannot show an address');
  }

  #allOrNone(inserted: number[] | number, syscall: string): number[] {
    const indices = check<number[]>(inserted, syscall, 'cannot insert addresses');
    const failed = indices.indexOf(-1);
    if (failed < 0) return indices;
    this.removeMany(indices.filter((index) => index >= 0));
    throw fabricError(`cannot insert address ${failed} of ${indices.length}`, {
      errno: ERRORS.FI_EADDRNOTAVAIL,
      syscall,
    });
  }

  #checkIndex(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= 2 ** 31) {
      throw new RangeError(`index: expected what insert() returned, not ${show(index)}`);
    }
  }
}
