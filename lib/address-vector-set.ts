/** struct fid_av_set. */
import { AddressVector } from './address-vector.js';
import { binding } from './binding.js';
import { check, show } from './errors.js';
import { argumentHandle, handleOf, Resource } from './resource.js';

const LEAST_CAPACITY = 64;
const LARGEST_CAPACITY = 1 << 20;

/** Options of an {@link AddressVectorSet}. */
export interface AddressVectorSetOptions {
  /** How many members it can have. @defaultValue as many as are given, at least 64 */
  readonly capacity?: number;
}

/**
 * Some peers of an {@link AddressVector}, in the order that gives each its rank in collectives: fi_av_set(3). Every member
 * makes the same set in the same order, itself included.
 */
export class AddressVectorSet extends Resource {
  readonly addressVector: AddressVector;

  /**
   * fi_av_set(3), fi_av_set_insert(3).
   *
   * @param members - Indices of the vector, the first of which has rank 0.
   * @throws FabricError `FI_ENOSYS` where the provider has no sets: of libfabric's own, those over `ofi_rxm` have.
   */
  constructor(addressVector: AddressVector, members: readonly number[] = [], options: AddressVectorSetOptions = {}) {
    const avHandle = argumentHandle(addressVector, AddressVector, 'addressVector');
    if (!Array.isArray(members)) throw new TypeError(`members: expected an array, not ${show(members)}`);
    const { capacity = Math.max(LEAST_CAPACITY, members.length) } = options;
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > LARGEST_CAPACITY) {
      throw new RangeError(
        `options.capacity: expected an integer from 1 to ${LARGEST_CAPACITY}, not ${show(capacity)}`,
      );
    }
    const handle = binding.addressVectorSetOpen(avHandle, capacity);
    super(check<number>(handle, 'fi_av_set', 'cannot make a set of addresses'), binding.addressVectorSetClose, [
      addressVector,
    ]);
    this.addressVector = addressVector;
    try {
      for (const member of members as number[]) this.insert(member);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The members by rank, as indices of the vector. */
  get members(): number[] {
    return check<number[]>(binding.addressVectorSetMembers(handleOf(this)), 'fi_av_set', 'cannot list the members');
  }

  /**
   * Adds a member behind the others: fi_av_set_insert(3).
   *
   * @throws FabricError `FI_EINVAL` for one that it has or that the vector has not, `FI_EBUSY` once a group was joined
   * with it, `FI_ENOMEM` when it is full.
   */
  insert(index: number): void {
    checkMember(index);
    check(binding.addressVectorSetInsert(handleOf(this), index), 'fi_av_set_insert', `cannot insert member ${index}`);
  }

  /** Removes a member, whose rank the last one takes: fi_av_set_remove(3). @throws as {@link insert}. */
  remove(index: number): void {
    checkMember(index);
    check(binding.addressVectorSetRemove(handleOf(this), index), 'fi_av_set_remove', `cannot remove member ${index}`);
  }

  /** Adds the members of another set of the same vector: fi_av_set_union(3). @throws as {@link insert}. */
  union(other: AddressVectorSet): void {
    const otherHandle = this.#checkOther(other);
    check(binding.addressVectorSetUnion(handleOf(this), otherHandle), 'fi_av_set_union', 'cannot unite sets');
  }

  /** Keeps the members that another set has too; the order may change. @throws as {@link insert}. */
  intersect(other: AddressVectorSet): void {
    this.#checkOther(other);
    const kept = new Set(other.members);
    for (const member of this.members) if (!kept.has(member)) this.remove(member);
  }

  /** Removes the members that another set has too; the order may change. @throws as {@link insert}. */
  difference(other: AddressVectorSet): void {
    this.#checkOther(other);
    const removed = new Set(other.members);
    for (const member of this.members) if (removed.has(member)) this.remove(member);
  }

  #checkOther(other: AddressVectorSet): number {
    const handle = argumentHandle(other, AddressVectorSet, 'other');
    if (other.addressVector !== this.addressVector) throw new TypeError('other: belongs to another AddressVector');
    return handle;
  }
}

function checkMember(index: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** 31) {
    throw new RangeError(`index: expected what AddressVector.insert returned, not ${show(index)}`);
  }
}
