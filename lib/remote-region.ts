/** Memory of a peer, as an RMA or atomic operation names it. */
import { show } from './errors.js';

const UINT64_LIMIT = 2n ** 64n;
const FORMAT = 1;
/** Bytes before the key: format, length of a raw key, six of zero, address, length. */
const HEADER = 24;
const LONGEST_RAW_KEY = 255;

/** What {@link RemoteRegion.toJSON} gives: safe for JSON, which has no 64-bit integers. */
export interface RemoteRegionJson {
  /** `'0x…'` */
  readonly address: string;
  /** `'0x…'`; for a raw key its bytes, in hexadecimal without the `0x`. */
  readonly key: string;
  /** In bytes. */
  readonly length: number;
}

/**
 * A part of a peer's registered memory: what {@link MemoryRegion.remote} makes, and the peer sends as JSON or bytes by
 * whatever means. It names memory and opens nothing; it is valid until the peer closes the region.
 *
 * Whether the provider counts by virtual address or from the start of the region (FI_MR_VIRT_ADDR) is settled where it is
 * made: here an address is a number to add offsets to.
 */
export class RemoteRegion {
  readonly address: bigint;
  /** What fi_mr_key(3) said; 0 for a raw key. */
  readonly key: bigint;
  /** In bytes. */
  readonly length: number;
  /** What fi_mr_raw_attr(3) said, for providers with FI_MR_RAW: has to be mapped first, {@link mapRemote}. */
  readonly rawKey: Uint8Array | undefined;

  // As numbers where they fit, so that a post converts nothing. User addresses have 47 bits, most keys few.
  readonly #base: number | undefined;
  /** @internal */
  readonly keyArgument: bigint | number;

  /** @throws TypeError or RangeError for what cannot be such a region. */
  constructor(address: bigint, key: bigint | Uint8Array, length: number) {
    this.address = checkUint64(address, 'address');
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`length: expected a number of bytes, not ${show(length)}`);
    }
    if (address + BigInt(length) > UINT64_LIMIT) {
      throw new RangeError(`length: ${length} bytes from ${show(address)} go beyond 64 bits`);
    }
    this.length = length;
    if (key instanceof Uint8Array) {
      if (key.byteLength === 0 || key.byteLength > LONGEST_RAW_KEY) {
        throw new RangeError(`key: expected 1 to ${LONGEST_RAW_KEY} bytes, not ${key.byteLength}`);
      }
      this.rawKey = Uint8Array.from(key);
      this.key = 0n;
    } else {
      this.key = checkUint64(key, 'key');
    }
    const end = address + BigInt(length);
    this.#base = end <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(address) : undefined;
    this.keyArgument = this.key <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(this.key) : this.key;
  }

  /**
   * A part of it.
   *
   * @param offset - In bytes from its start.
   * @param length - In bytes; by default all that is left.
   * @throws RangeError when that is not inside.
   */
  slice(offset: number, length = this.length - offset): RemoteRegion {
    this.check(offset, length, 'offset');
    return new RemoteRegion(this.address + BigInt(offset), this.rawKey ?? this.key, length);
  }

  /** For JSON.stringify. */
  toJSON(): RemoteRegionJson {
    const key = this.rawKey === undefined ? hexadecimal(this.key) : Buffer.from(this.rawKey).toString('hex');
    return { address: hexadecimal(this.address), key, length: this.length };
  }

  /** Reads what {@link toJSON} gave, parsed. @throws TypeError or RangeError for anything else. */
  static fromJSON(json: RemoteRegionJson): RemoteRegion {
    if (typeof json !== 'object' || (json as unknown) === null) {
      throw new TypeError(`json: expected an object, not ${show(json)}`);
    }
    const { address, key, length } = json;
    if (!isHexadecimal(address)) throw new TypeError(`json.address: expected '0x…', not ${show(address)}`);
    if (typeof key === 'string' && /^(?:[0-9a-f]{2}){1,255}$/.test(key)) {
      return new RemoteRegion(BigInt(address), Buffer.from(key, 'hex'), length);
    }
    if (!isHexadecimal(key)) throw new TypeError(`json.key: expected '0x…' or bytes, not ${show(key)}`);
    return new RemoteRegion(BigInt(address), BigInt(key), length);
  }

  /** 32 bytes, or more with a raw key. */
  toBytes(): Buffer {
    const { rawKey } = this;
    const bytes = Buffer.alloc(HEADER + (rawKey?.byteLength ?? 8));
    bytes.writeUInt8(FORMAT, 0);
    bytes.writeUInt8(rawKey?.byteLength ?? 0, 1);
    bytes.writeBigUInt64LE(this.address, 8);
    bytes.writeBigUInt64LE(BigInt(this.length), 16);
    if (rawKey === undefined) bytes.writeBigUInt64LE(this.key, HEADER);
    else bytes.set(rawKey, HEADER);
    return bytes;
  }

  /** Reads what {@link toBytes} gave. @throws TypeError or RangeError for anything else. */
  static fromBytes(bytes: Uint8Array): RemoteRegion {
    if (!(bytes instanceof Uint8Array)) throw new TypeError(`bytes: expected a Uint8Array, not ${show(bytes)}`);
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const rawLength = view[1] ?? 0;
    const expected = HEADER + (rawLength === 0 ? 8 : rawLength);
    if (view[0] !== FORMAT || view.subarray(2, 8).some((byte) => byte !== 0) || view.byteLength !== expected) {
      throw new RangeError(`bytes: ${view.byteLength} bytes that RemoteRegion.toBytes did not make`);
    }
    const length = Number(view.readBigUInt64LE(16));
    const key = rawLength === 0 ? view.readBigUInt64LE(HEADER) : view.subarray(HEADER);
    return new RemoteRegion(view.readBigUInt64LE(8), key, length);
  }

  /** @internal The address that an operation on `length` bytes from `offset` passes. @throws RangeError beyond it. */
  locate(offset: number, length: number): bigint | number {
    this.check(offset, length, 'remoteOffset');
    return this.#base === undefined ? this.address + BigInt(offset) : this.#base + offset;
  }

  /** @internal @throws RangeError when `length` bytes from `offset` are not inside. */
  check(offset: number, length: number, name: string): void {
    if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`${name}: expected numbers of bytes, not ${show(offset)} and ${show(length)}`);
    }
    if (offset + length > this.length) {
      throw new RangeError(`${name}: ${length} bytes from ${offset} are not inside the region of ${this.length} bytes`);
    }
  }
}

const hexadecimal = (value: bigint): string => `0x${value.toString(16)}`;

function isHexadecimal(value: unknown): value is string {
  return typeof value === 'string' && /^0x[0-9a-f]{1,16}$/i.test(value);
}

function checkUint64(value: bigint, name: string): bigint {
  if (typeof value === 'bigint' && value >= 0n && value < UINT64_LIMIT) return value;
  throw new RangeError(`${name}: expected an unsigned 64-bit bigint, not ${show(value)}`);
}
