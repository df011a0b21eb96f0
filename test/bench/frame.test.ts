import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from '../../lib/bench/frame.js';

const messages = [{ type: 'go' }, { type: 'stop', message: 'größer als ein Byte: µs' }];
const stream = Buffer.concat(messages.map(encodeFrame));

describe('FrameDecoder', () => {
  it('finds the messages wherever TCP split the stream', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const decoder = new FrameDecoder();
      const found = [...decoder.push(stream.subarray(0, cut)), ...decoder.push(stream.subarray(cut))];
      expect(found).toEqual(messages);
      expect(decoder.unfinished).toBeUndefined();
    }
  });

  it('finds the messages in a stream that comes byte by byte', () => {
    const decoder = new FrameDecoder();
    expect([...stream].flatMap((byte) => decoder.push(Buffer.of(byte)))).toEqual(messages);
  });

  it('says how much of a message is there', () => {
    const decoder = new FrameDecoder();
    decoder.push(stream.subarray(0, 2));
    expect(decoder.unfinished).toBe('2 of 4 bytes of a length');
    decoder.push(stream.subarray(2, 9));
    expect(decoder.unfinished).toBe('5 of 13 bytes of a message');
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a length of zero', Buffer.alloc(4)],
    ['a length over the limit', Buffer.of(0, 0x10, 0, 1)],
    ['a little-endian length', Buffer.of(13, 0, 0, 0)],
    ['a message that is no JSON', Buffer.of(0, 0, 0, 2, 0x7b, 0x7b)],
  ])('refuses %s', (_, bytes) => {
    expect(() => new FrameDecoder().push(bytes)).toThrow(
      expect.objectContaining({
        code: 'MISMATCH',
        message: expect.stringContaining("does not speak fabric-pingpong's protocol") as string,
      }),
    );
  });

  it('takes a message of the largest size', () => {
    const message = { text: 'x'.repeat(MAX_FRAME_BYTES - '{"text":""}'.length) };
    expect(new FrameDecoder().push(encodeFrame(message))).toEqual([message]);
  });
});
