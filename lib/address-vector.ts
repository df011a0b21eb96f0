/** struct fid_av. */
import { checkAddressBytes } from './address.js';
import { ANY_ADDRESS, binding } from './binding.js';
import { AV_TYPES } from './constants.js';
import { Domain } from './domain.js';
import { check, show } from './errors.js';
import { argumentHandle, handleOf, Resource } from './resource.js';

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

  /** Removes a peer: fi_av_remove(3). Its index may be given to another one later. */
  remove(index: number): void {
    this.#checkIndex(index);
    check(binding.addressVectorRemove(handleOf(this), index), 'fi_av_remove', `cannot remove address ${index}`);
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

  #checkIndex(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= 2 ** 31) {
      throw new RangeError(`index: expected what insert() returned, not ${show(index)}`);
    }
  }
}
