/** fi_join(3) of multicast groups. */
import { checkAddressBytes } from './address.js';
import { binding, FIRST_GROUP_ADDRESS } from './binding.js';
import type { Endpoint } from './endpoint.js';
import { check } from './errors.js';
import { checkSignal, Group, joiningHandle, type JoinOptions } from './group.js';

/** Of addresses that are groups, by the address family of a socket address: 224.0.0.0/4 and ff00::/8. */
const GROUPS: Readonly<Record<number, (address: Uint8Array) => boolean>> = {
  2: (address) => (address[4]! & 0xf0) === 0xe0,
  10: (address) => address[8] === 0xff,
};

/**
 * A multicast group that an endpoint has joined: fi_join(3). Messages sent to its {@link address} reach every endpoint
 * that has joined; what they send arrives as any message does.
 *
 * Of libfabric's own providers `udp` has it (FI_EP_DGRAM, capability FI_MULTICAST).
 */
export class MulticastGroup extends Group {
  /**
   * Joins a group.
   *
   * @param endpoint - Opened with the capability FI_MULTICAST.
   * @param address - Of the group, in the endpoint's address format; copied.
   * @throws TypeError for an endpoint without FI_MULTICAST; rejects with a FabricError when the provider refuses.
   */
  static async join(endpoint: Endpoint, address: Uint8Array, options: JoinOptions = {}): Promise<MulticastGroup> {
    const handle = joiningHandle(endpoint, 'FI_MULTICAST');
    checkAddressBytes(address, endpoint.info.addrFormat, 'address');
    const isSocketAddress = String(endpoint.info.addrFormat).startsWith('FI_SOCKADDR');
    if (isSocketAddress && GROUPS[address[0]!]?.(address) !== true) {
      throw new RangeError(`address: ${endpoint.addressVector.straddr(address)} is not in 224.0.0.0/4 or ff00::/8`);
    }
    checkSignal(options.signal);
    const number = check<number>(binding.groupJoinMulticast(handle, address), 'fi_join', 'cannot join the group');
    return new MulticastGroup(endpoint, number, []).joined('fi_join', options.signal);
  }

  /** Where to send to: fi_mc_addr(3). A number for {@link Endpoint.send} of this endpoint, and for nothing else. */
  get address(): number {
    return FIRST_GROUP_ADDRESS + this.number;
  }
}
