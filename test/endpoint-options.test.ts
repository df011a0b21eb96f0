import { ENDPOINT_OPTIONS, FabricError } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { openEndpoint } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';

/** What the call returns, or the code of the FabricError that it throws. */
function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof FabricError)) throw error;
    return error.code;
  }
}

const UNKNOWN = ['FI_ENOPROTOOPT', 'FI_ENOSYS', 'FI_EINVAL', 'FI_EOPNOTSUPP'];

describe('Endpoint options', () => {
  overEachProvider((info) => {
    it.each(Object.keys(ENDPOINT_OPTIONS) as (keyof typeof ENDPOINT_OPTIONS)[])(
      'reads %s, or says there is none',
      (option) => {
        const value = outcome(() => openEndpoint(info).getOption(option));
        if (typeof value === 'string') expect(['enabled', ...UNKNOWN]).toContain(value);
        else expect(['number', 'boolean']).toContain(typeof value);
      },
    );

    it('counts what can still be posted, or says that nobody does', () => {
      const endpoint = openEndpoint(info);
      for (const left of [outcome(() => endpoint.txSizeLeft), outcome(() => endpoint.rxSizeLeft)]) {
        if (typeof left === 'number') expect(left).toBeGreaterThan(0);
        else expect(UNKNOWN).toContain(left);
      }
    });

    it('has default flags of operations, or says that nobody tells', () => {
      const found = outcome(() => openEndpoint(info).getOperationFlags('transmit'));
      if (typeof found === 'string') expect(UNKNOWN).toContain(found);
      else expect(found).toBeInstanceOf(Array);
    });

    it('checks names and values', () => {
      const endpoint = openEndpoint(info);
      expect(() => endpoint.getOption('FI_OPT_NOTHING' as never)).toThrow(
        /option: 'FI_OPT_NOTHING' is none of FI_OPT_MIN/,
      );
      expect(() => {
        endpoint.setOption('FI_OPT_MIN_MULTI_RECV', -1);
      }).toThrow(RangeError);
      expect(() => {
        endpoint.setOption('FI_OPT_CUDA_API_PERMITTED', 1 as never);
      }).toThrow(TypeError);
      expect(() => {
        endpoint.setOption('FI_OPT_FI_HMEM_P2P', 'often' as never);
      }).toThrow(/is none of enabled, required/);
      expect(() => endpoint.getOperationFlags('both' as never)).toThrow(/side: expected/);
      endpoint.close();
      expect(() => endpoint.getOption('FI_OPT_MIN_MULTI_RECV')).toThrow(/FI_EBADF/);
      expect(() => endpoint.txSizeLeft).toThrow(/FI_EBADF/);
    });
  });

  overEachProvider(
    (info) => {
      it('changes the least room of a multi-receive buffer', () => {
        const endpoint = openEndpoint(info);
        endpoint.setOption('FI_OPT_MIN_MULTI_RECV', 4096);
        expect(endpoint.getOption('FI_OPT_MIN_MULTI_RECV')).toBe(4096);
      });
    },
    ['shm', 'net', 'tcp;ofi_rxm', 'sockets'],
  );
});
