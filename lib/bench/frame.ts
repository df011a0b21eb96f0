import { BenchError } from './errors.js';

/** The largest message that either end accepts, in bytes, without its length prefix. */
export const MAX_FRAME_BYTES = 1024 * 1024;

const PREFIX_BYTES = 4;

/** One message on the wire: its length as four bytes, big-endian, then JSON in UTF-8. */
export function encodeFrame(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message), 'utf8');
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, PREFIX_BYTES);
  return frame;
}

/** Cuts a byte stream into messages, wherever TCP happened to split or join them. */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #buffered = 0;
  #bodyLength: number | undefined;

  /**
   * Takes the next bytes and returns the messages that they complete.
   * Throws a BenchError `MISMATCH` for bytes that no fabric-pingpong sends.
   */
  push(chunk: Buffer): unknown[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const messages: unknown[] = [];
    for (;;) {
      if (this.#bodyLength === undefined) {
        if (this.#buffered < PREFIX_BYTES) return messages;
        this.#bodyLength = checkLength(this.#take(PREFIX_BYTES));
      }
      if (this.#buffered < this.#bodyLength) return messages;
      const body = this.#take(this.#bodyLength);
      this.#bodyLength = undefined;
      messages.push(parseBody(body));
    }
  }

  /** How a stream that ends here was cut: `12 of 400 bytes of a message`, or undefined between messages. */
  get unfinished(): string | undefined {
    if (this.#bodyLength !== undefined) {
      return `${this.#buffered} of ${this.#bodyLength} bytes of a message`;
    }
    return this.#buffered > 0 ? `${this.#buffered} of ${PREFIX_BYTES} bytes of a length` : undefined;
  }

  #take(count: number): Buffer {
    const joined = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    const rest = joined.subarray(count);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#buffered = rest.length;
    return joined.subarray(0, count);
  }
}

function checkLength(prefix: Buffer): number {
  const length = prefix.readUInt32BE(0);
  if (length === 0 || length > MAX_FRAME_BYTES) {
    throw new BenchError(
      'MISMATCH',
      `the other end does not speak fabric-pingpong's protocol: it announced a message of ` +
        `${length} bytes (limit ${MAX_FRAME_BYTES}), first bytes ${JSON.stringify(prefix.toString('latin1'))}`,
    );
  }
  return length;
}

function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (cause) {
    throw new BenchError(
      'MISMATCH',
      `the other end does not speak fabric-pingpong's protocol: a message of ${body.length} bytes is not JSON`,
      { cause },
    );
  }
}
