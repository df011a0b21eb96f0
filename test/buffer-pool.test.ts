import { BufferPool } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { infoWith, openEnd, openMemoryPair, refusal, soon } from './helpers/memory-pair.js';
import { isOnSoftwareEfa } from './helpers/providers.js';

describe('BufferPool', () => {
  const info = infoWith(isOnSoftwareEfa ? 'efa' : 'sockets', ['FI_RMA']);
  const openPool = (count: number) => new BufferPool(openEnd(info).domain, { count, byteLength: 100 });

  it('gives out as many buffers as it has, apart from each other', () => {
    const pool = openPool(3);
    const buffers = [1, 2, 3].map((value) => {
      const buffer = pool.tryAcquire()!;
      buffer.bytes.fill(value);
      return buffer;
    });
    expect(pool.tryAcquire()).toBeUndefined();
    expect(buffers.map(({ bytes }) => bytes.every((byte) => byte === bytes[0]))).toEqual([true, true, true]);
    expect(buffers.map(({ bytes }) => [bytes.byteLength, bytes.byteOffset % 64])).toEqual([
      [100, 0],
      [100, 0],
      [100, 0],
    ]);
    for (const buffer of buffers) buffer.release();
    expect(pool.available).toBe(3);
  });

  it('serves who waits in turn', async () => {
    const pool = openPool(1);
    const first = await pool.acquire();
    const order: string[] = [];
    const second = pool.acquire().then((buffer) => {
      order.push('second');
      buffer.release();
    });
    const given = new AbortController();
    const third = refusal(pool.acquire({ signal: given.signal }), 'the one that gave up');
    const fourth = pool.acquire().then(() => order.push('fourth'));
    expect(pool.waiting).toBe(3);
    given.abort();
    expect((await third).name).toBe('AbortError');
    first.release();
    await soon(Promise.all([second, fourth]), 'the others');
    expect(order).toEqual(['second', 'fourth']);
    expect([pool.available, pool.waiting]).toEqual([0, 0]);
  });

  it('takes each buffer back once, and none of another pool', () => {
    const [pool, other] = [openPool(1), openPool(1)];
    const buffer = pool.tryAcquire()!;
    expect(() => {
      other.release(buffer);
    }).toThrow(TypeError);
    buffer.release();
    expect(() => {
      buffer.release();
    }).toThrow(/released before/);
    expect(pool.available).toBe(1);
  });

  it('rejects who waits when it is closed, or its domain', async () => {
    const [pool, other] = [openPool(1), openPool(1)];
    await Promise.all([pool.acquire(), other.acquire()]);
    const waiting = [refusal(pool.acquire(), 'the first'), refusal(other.acquire(), 'the second')];
    pool.close();
    other.region.domain.close();
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'FI_ECANCELED' });
    expect(() => pool.tryAcquire()).toThrow(/closed/);
    expect(await refusal(pool.acquire(), 'a late one')).toMatchObject({ code: 'FI_ECANCELED' });
  });

  it('refuses to close under an operation', async () => {
    const { left, right, toRight } = openMemoryPair(info);
    const pool = new BufferPool(right.domain, { count: 2, byteLength: 64 });
    using buffer = await pool.acquire();
    const receiving = right.recv(buffer.bytes);
    expect(() => {
      pool.close();
    }).toThrow(expect.objectContaining({ code: 'FI_EBUSY' }) as Error);
    await soon(Promise.all([receiving, left.send(Buffer.from('x'), toRight)]), 'the message');
    await soon(
      left.write(Buffer.from('remote'), toRight, buffer.remote, { flags: ['FI_DELIVERY_COMPLETE'] }),
      'the write',
    );
    expect(Buffer.from(buffer.bytes).toString('latin1', 0, 6)).toBe('remote');
  });

  it('refuses sizes that cannot be', () => {
    const { domain } = openEnd(info);
    expect(() => new BufferPool(domain, { count: 0, byteLength: 1 })).toThrow(RangeError);
    expect(() => new BufferPool(domain, { count: 1, byteLength: -1 })).toThrow(RangeError);
  });
});
