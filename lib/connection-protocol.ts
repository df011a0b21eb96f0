/**
 * What two ends of a {@link Connection} say to each other: a greeting in the private data of the connection, then frames.
 * All numbers are little endian.
 */

/** How large a frame's header is, in bytes: kind, nothing, credits (16 bits). */
export const HEADER_SIZE = 4;
/**
 * Receives beyond the window, for frames that need no credit: END, END_ACK, and two of CREDIT. There can be no third, since
 * each stands for half a window of data that its receiver sent, for which it needs the credits of the one before.
 */
export const RESERVED_RECEIVES = 4;

/** What a frame is. */
export const FRAME_KINDS = { data: 0, credit: 1, end: 2, endAck: 3 } as const;

const MAGIC = 0x31464c4e; // "NLF1"
const GREETING_SIZE = 12;

/** How one end receives: what the other one needs to know. */
export interface Greeting {
  /** Size of its receive buffers, in bytes, the header included. */
  readonly frameSize: number;
  /** How many data frames it takes before it gives new credits. */
  readonly window: number;
  /** The application's own private data. */
  readonly data: Buffer;
}

/** How many bytes of private data are left to the application, of those that the provider carries. */
export const applicationDataSize = (dataSize: number): number => dataSize - GREETING_SIZE;

export function encodeGreeting({ frameSize, window }: Omit<Greeting, 'data'>, data: Uint8Array | undefined): Buffer {
  const greeting = Buffer.alloc(GREETING_SIZE + (data?.byteLength ?? 0));
  greeting.writeUInt32LE(MAGIC, 0);
  greeting.writeUInt32LE(frameSize, 4);
  greeting.writeUInt16LE(window, 8);
  // Said explicitly, since providers may pad private data.
  greeting.writeUInt16LE(data?.byteLength ?? 0, 10);
  if (data !== undefined) greeting.set(data, GREETING_SIZE);
  return greeting;
}

/** @returns undefined for what no {@link Connection} has sent. */
export function decodeGreeting(bytes: Buffer): Greeting | undefined {
  if (bytes.byteLength < GREETING_SIZE || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  const [frameSize, window, length] = [bytes.readUInt32LE(4), bytes.readUInt16LE(8), bytes.readUInt16LE(10)];
  if (frameSize <= HEADER_SIZE || window === 0 || GREETING_SIZE + length > bytes.byteLength) return undefined;
  return { frameSize, window, data: Buffer.from(bytes.subarray(GREETING_SIZE, GREETING_SIZE + length)) };
}
