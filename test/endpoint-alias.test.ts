import { AddressVector, CompletionBatch, CompletionQueue, Endpoint } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { infoWith, openEnd, openMemoryPair, overProvidersWith, refusal, soon } from './helpers/memory-pair.js';
import { openEndpoint } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';

describe('an alias of an endpoint', () => {
  overEachProvider(
    (info) => {
      it('is not there, and says so', () => {
        expect(() => openEndpoint(info).alias('transmit', [])).toThrow(
          expect.objectContaining({ code: 'FI_ENOSYS', syscall: 'fi_ep_alias' }) as Error,
        );
      });
    },
    ['shm', 'net', 'tcp;ofi_rxm', 'udp;ofi_rxd'],
  );

  const info = infoWith('sockets', ['FI_RMA', 'FI_ATOMIC']);

  it('sends with its own flags, and leaves those of the endpoint alone', async () => {
    const { left, right, toRight } = openMemoryPair(info);
    const before = left.getOperationFlags('transmit');
    const alias = left.alias('transmit', ['FI_INJECT', 'FI_INJECT_COMPLETE']);
    expect(alias.getOperationFlags('transmit')).toEqual(['FI_INJECT', 'FI_INJECT_COMPLETE']);
    expect(left.getOperationFlags('transmit')).toEqual(before);
    expect(alias.endpoint).toBe(left);
    expect(alias.address).toEqual(left.address);
    // With FI_INJECT a plain send has taken its copy when it is posted.
    const message = Buffer.from('as it was when posted');
    const received = Buffer.alloc(64);
    const receiving = right.recv(received);
    const sending = alias.send(message, toRight);
    message.fill('x');
    await soon(Promise.all([sending, receiving]), 'the message');
    expect(received.toString('latin1', 0, message.byteLength)).toBe('as it was when posted');
    alias.setOperationFlags('transmit', ['FI_TRANSMIT_COMPLETE']);
    expect(alias.getOperationFlags('transmit')).toEqual(['FI_TRANSMIT_COMPLETE']);
  });

  it('receives, through both doors', async () => {
    const { left, right, toRight } = openMemoryPair(info);
    const alias = right.alias('receive', ['FI_COMPLETION']);
    const received = Buffer.alloc(5);
    await soon(Promise.all([alias.trecv(received, 1n), left.tsend(Buffer.from('hello'), toRight, 1n)]), 'the message');
    expect(received.toString()).toBe('hello');
    const batch = new CompletionBatch(4);
    expect(alias.postTrecv(received, 2, 0, 77)).toBe(true);
    await soon(left.tsend(Buffer.from('again'), toRight, 2n), 'the send');
    while (right.completionQueue.read(batch, 1000) === 0);
    expect([batch.context[0], batch.error[0], received.toString()]).toEqual([77, 0, 'again']);
  });

  it('can be closed while its operations are under way', async () => {
    const { left, right, toRight } = openMemoryPair(info);
    const alias = right.alias('receive', []);
    const received = Buffer.alloc(5);
    const receiving = alias.recv(received);
    alias.close();
    expect(right.closed).toBe(false);
    await soon(Promise.all([left.send(Buffer.from('hello'), toRight), receiving]), 'the message');
    expect(received.toString()).toBe('hello');
    expect(() => alias.send(received, toRight)).toThrow(expect.objectContaining({ code: 'FI_EBADF' }) as Error);
  });

  it('closes with its endpoint, and cancels what is left', async () => {
    const { endpoint } = openEnd(info);
    const aliases = [endpoint.alias('transmit', []), endpoint.alias('receive', [])];
    const receiving = refusal(aliases[1]!.recv(Buffer.alloc(8)), 'the receive');
    endpoint.close();
    expect(await receiving).toMatchObject({ code: 'FI_ECANCELED' });
    expect(aliases.map(({ closed }) => closed)).toEqual([true, true]);
    expect(() => endpoint.alias('transmit', [])).toThrow(expect.objectContaining({ code: 'FI_EBADF' }) as Error);
  });

  it('cancels a receive on a signal', async () => {
    const { endpoint } = openEnd(info);
    const alias = endpoint.alias('receive', []);
    const controller = new AbortController();
    const receiving = refusal(alias.recv(Buffer.alloc(8), undefined, { signal: controller.signal }), 'the receive');
    controller.abort(new Error('enough'));
    expect((await receiving).message).toBe('enough');
  });

  it('checks its side and flags', () => {
    const { endpoint } = openEnd(info);
    const alias = (side: unknown, flags: unknown) => () => endpoint.alias(side as 'transmit', flags as []);
    expect(alias('both', [])).toThrow(/side: expected/);
    expect(alias('transmit', ['FI_NONSENSE'])).toThrow(TypeError);
    expect(alias('transmit', -1n)).toThrow(RangeError);
    for (const flag of ['FI_TRIGGER', 'FI_MULTI_RECV', 'FI_MULTICAST'] as const) {
      expect(alias('receive', [flag])).toThrow(new RegExp(flag));
      expect(() => {
        endpoint.setOperationFlags('transmit', [flag]);
      }).toThrow(TypeError);
    }
    expect(alias('transmit', 1n << 62n)).toThrow(expect.objectContaining({ code: 'FI_EINVAL' }) as Error);
  });
});

describe('flags by default in an info', () => {
  overProvidersWith([], (info) => {
    it('are left out where only an operation can have them', async () => {
      const opFlags = ['FI_TRIGGER', 'FI_MULTI_RECV', 'FI_MULTICAST'] as const;
      const edited = { ...info, txAttr: { ...info.txAttr, opFlags }, rxAttr: { ...info.rxAttr, opFlags } };
      const open = (): Endpoint => {
        const { domain } = openEnd(info);
        const bindings = { completionQueue: new CompletionQueue(domain), addressVector: new AddressVector(domain) };
        return new Endpoint(domain, bindings, edited);
      };
      const ends = [open(), open()] as const;
      const to = ends[0].addressVector.insert(ends[1].address);
      const received = Buffer.alloc(5);
      await soon(Promise.all([ends[1].recv(received), ends[0].send(Buffer.from('hello'), to)]), 'the message');
      expect(received.toString()).toBe('hello');
    });
  });
});
