/** fi_collective(3): operations that every member of a group takes part in. */
import { AddressVectorSet } from './address-vector-set.js';
import { datatypeOf, type AtomicArray } from './atomic-constants.js';
import { binding } from './binding.js';
import { checkCarried } from './collective-limits.js';
import { COLLECTIVES, elementsOf, queryCollective, REDUCTIONS, sameKind } from './collectives.js';
import type { Collective, Reduction } from './collectives.js';
import { ERRORS } from './constants.js';
import type { Endpoint } from './endpoint.js';
import { check, fabricError, show } from './errors.js';
import { checkSignal, Group, joiningHandle, type JoinOptions } from './group.js';
import { argumentHandle, handleOf } from './resource.js';

/** How a collective is called: what it reads, what it fills, who is special. */
interface Call {
  readonly buffer?: AtomicArray | undefined;
  readonly result?: AtomicArray | undefined;
  readonly count: number;
  readonly operation?: Reduction;
  readonly root?: number;
}

/**
 * The members of an {@link AddressVectorSet}, joined for collectives: fi_collective(3). Each member calls the same
 * operations in the same order, with as many elements of the same type.
 *
 * Buffers are typed arrays of numbers or bigints, and belong to libfabric until the promise is settled. A collective
 * cannot be cancelled; closing the endpoint rejects it with `FI_ECANCELED`. Which collectives there are depends on the
 * provider: {@link CollectiveGroup.supports}.
 */
export class CollectiveGroup extends Group {
  /** How many members the group has. */
  readonly size: number;
  /** Which of them this endpoint is: its place in the set. */
  readonly rank: number;

  /** @internal */
  constructor(endpoint: Endpoint, number: number, set: AddressVectorSet, rank: number, size: number) {
    super(endpoint, number, [set]);
    this.rank = rank;
    this.size = size;
  }

  /**
   * Joins, and waits for every other member to do so: fi_join_collective(3), fi_av_set_addr(3),
   * fi_eq_read(3), fi_eq_readerr(3). One after the other where an endpoint joins
   * several.
   *
   * @param endpoint - Opened with the capability FI_COLLECTIVE.
   * @param set - Of the endpoint's address vector, with the endpoint's own address as one of the members.
   * @throws TypeError for a set without this endpoint; rejects with a FabricError when the provider refuses.
   */
  static async join(endpoint: Endpoint, set: AddressVectorSet, options: JoinOptions = {}): Promise<CollectiveGroup> {
    const handle = joiningHandle(endpoint, 'FI_COLLECTIVE');
    const setHandle = argumentHandle(set, AddressVectorSet, 'set');
    if (set.addressVector !== endpoint.addressVector)
      throw new TypeError("set: is not of the endpoint's AddressVector");
    checkSignal(options.signal);
    const { members } = set;
    const own = endpoint.address;
    const rank = members.findIndex((member) => own.equals(set.addressVector.lookup(member)));
    if (rank < 0) throw new TypeError("set: the endpoint's own address is not a member; insert it first");
    const number = check<number>(
      binding.groupJoinCollective(handle, setHandle),
      'fi_join_collective',
      'cannot join the group',
    );
    const group = new CollectiveGroup(endpoint, number, set, rank, members.length);
    return group.joined('fi_join_collective', options.signal);
  }

  /**
   * Whether the provider has a collective, for the type and reduction that are asked for: fi_query_collective(3).
   *
   * @param array - Any array of the type, for those that move data.
   */
  supports(collective: Collective, array?: AtomicArray, operation?: Reduction): boolean {
    return queryCollective(this.endpoint.domain, collective, array, operation) !== undefined;
  }

  /** Resolves when every member has called it: fi_barrier(3). */
  barrier(): Promise<void> {
    return this.#start('FI_BARRIER', { buffer: new Uint8Array(1), count: 0 });
  }

  /** Fills every member's buffer with what the root has in its own: fi_broadcast(3). @param root - A rank. */
  async broadcast(buffer: AtomicArray, root: number): Promise<void> {
    const length = elementsOf(buffer, 'buffer');
    // libfabric's own implementation deals out equal shares, and writes whole ones.
    const padding = (this.size - (length % this.size)) % this.size;
    if (padding === 0) return this.#start('FI_BROADCAST', { buffer, count: length, root });
    const padded = sameKind(buffer, length + padding);
    padded.set(buffer as never);
    await this.#start('FI_BROADCAST', { buffer: padded, count: padded.length, root });
    buffer.set(padded.subarray(0, length) as never);
  }

  /** Reduces the buffers of all members, element by element, into everyone's result: fi_allreduce(3). */
  allreduce(buffer: AtomicArray, result: AtomicArray, operation: Reduction): Promise<void> {
    const count = this.#same(buffer, result, 1, 1);
    return this.#start('FI_ALLREDUCE', { buffer, result, count, operation });
  }

  /** Collects every member's buffer, by rank, in everyone's result: fi_allgather(3). */
  allgather(buffer: AtomicArray, result: AtomicArray): Promise<void> {
    return this.#start('FI_ALLGATHER', { buffer, result, count: this.#same(buffer, result, 1, this.size) });
  }

  /**
   * Deals out the root's buffer: the member of rank r gets its share r: fi_scatter(3).
   *
   * @param buffer - At the root `size` shares; undefined elsewhere.
   * @param result - One share.
   */
  scatter(buffer: AtomicArray | undefined, result: AtomicArray, root: number): Promise<void> {
    const count = this.#rooted(buffer, result, root, 'buffer', this.size);
    return this.#start('FI_SCATTER', { buffer, result, count, root });
  }

  /** Collects every member's buffer, by rank, in the root's result: fi_gather(3). @param result - At the root only. */
  gather(buffer: AtomicArray, result: AtomicArray | undefined, root: number): Promise<void> {
    const count = this.#rooted(result, buffer, root, 'result', this.size);
    return this.#start('FI_GATHER', { buffer, result, count, root });
  }

  /** Reduces the buffers of all members into the root's result: fi_reduce(3). @param result - At the root only. */
  reduce(buffer: AtomicArray, result: AtomicArray | undefined, operation: Reduction, root: number): Promise<void> {
    const count = this.#rooted(result, buffer, root, 'result', 1);
    return this.#start('FI_REDUCE', { buffer, result, count, operation, root });
  }

  /** Reduces the buffers of all members, and gives the one of rank r its share r: fi_reduce_scatter(3). */
  reduceScatter(buffer: AtomicArray, result: AtomicArray, operation: Reduction): Promise<void> {
    const count = this.#same(buffer, result, this.size, 1);
    return this.#start('FI_REDUCE_SCATTER', { buffer, result, count, operation });
  }

  /** Share r of everyone's buffer goes to the member of rank r: fi_alltoall(3). Both have `size` shares. */
  alltoall(buffer: AtomicArray, result: AtomicArray): Promise<void> {
    const count = this.#same(buffer, result, this.size, this.size) / this.size;
    return this.#start('FI_ALLTOALL', { buffer, result, count });
  }

  /** Elements of the buffer, when buffer and result have the same type and their lengths are as `shares` to `others`. */
  #same(buffer: AtomicArray, result: AtomicArray, shares: number, others: number): number {
    const length = elementsOf(buffer, 'buffer');
    sameType(buffer, result, 'result');
    if (length % shares !== 0) {
      throw new RangeError(`buffer: ${length} elements are no multiple of the ${this.size} members`);
    }
    const expected = (length / shares) * others;
    if (result.length !== expected) {
      throw new RangeError(`result: expected ${expected} elements, not ${result.length}`);
    }
    return length;
  }

  /** Elements of a share, where only the root has the `whole` of `shares` shares. */
  #rooted(whole: AtomicArray | undefined, share: AtomicArray, root: number, name: string, shares: number): number {
    const length = elementsOf(share, name === 'buffer' ? 'result' : 'buffer');
    const isRoot = this.#checkRoot(root) === this.rank;
    if (!isRoot) {
      if (whole !== undefined) throw new TypeError(`${name}: only the root has one; expected undefined`);
      return length;
    }
    sameType(share, whole, name);
    if (whole.length !== length * shares) {
      throw new RangeError(`${name}: expected ${length * shares} elements, not ${whole.length}`);
    }
    return length;
  }

  #checkRoot(root: number): number {
    if (Number.isInteger(root) && root >= 0 && root < this.size) return root;
    throw new RangeError(`root: expected a rank from 0 to ${this.size - 1}, not ${show(root)}`);
  }

  async #start(collective: Collective, { buffer, result, count, operation, root = 0 }: Call): Promise<void> {
    handleOf(this);
    this.#checkRoot(root);
    const array = buffer ?? result!;
    const limits = queryCollective(this.endpoint.domain, collective, array, operation);
    if (limits === undefined || limits.maxMembers < this.size) {
      // Called all the same, libfabric 1.17 would follow a null pointer.
      const missing = `${collective}${operation === undefined ? '' : ` ${operation}`} of ${array.constructor.name}`;
      throw fabricError(`the provider has no ${missing} for ${this.size} members`, {
        errno: ERRORS.FI_EOPNOTSUPP,
        syscall: 'fi_query_collective',
      });
    }
    if (this.endpoint.info.fabricAttr.provName?.includes('ofi_rxm') === true) {
      const carried = collective === 'FI_SCATTER' ? result : buffer;
      checkCarried(collective, carried?.byteLength ?? 0, this.size);
    }
    const syscall = `fi_${collective.slice('FI_'.length).toLowerCase()}`;
    const buffers = [buffer, result].filter((view) => view !== undefined);
    const segments = this.endpoint.segments(buffers, 'buffer', buffers.length, Infinity);
    const endpointHandle = handleOf(this.endpoint);
    this.busy.operations++;
    await this.endpoint
      .begin({ syscall, receives: false, tagged: false }, buffers, () =>
        binding.endpointCollective(
          endpointHandle,
          this.number,
          COLLECTIVES[collective],
          segments,
          buffer === undefined ? -count : count,
          limits.datatype,
          operation === undefined ? 0 : REDUCTIONS[operation],
          root,
        ),
      )
      .finally(() => {
        this.busy.operations--;
      });
  }
}

function sameType(one: AtomicArray, other: AtomicArray | undefined, name: string): asserts other is AtomicArray {
  if (other === undefined || datatypeOf(other, name) !== datatypeOf(one, name)) {
    throw new TypeError(`${name}: expected a ${one.constructor.name} as the other, not ${show(other)}`);
  }
}
