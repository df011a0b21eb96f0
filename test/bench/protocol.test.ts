import { describe, expect, it } from 'vitest';
import { parseHello, parseMessage, PROTOCOL_VERSION } from '../../lib/bench/protocol.js';

const hello = {
  type: 'hello',
  program: 'node-libfabric-pingpong',
  protocolVersion: PROTOCOL_VERSION,
  libfabric: '1.17',
  host: {
    name: 'node1',
    bootId: null,
    namespaces: { pid: null, mnt: null, ipc: null, net: null },
    userId: null,
    processors: null,
  },
  wants: { endpointType: 'rdm', operation: 'msg' },
  candidates: [],
  withheld: [],
  rejected: [],
};

const start = {
  type: 'start',
  phase: 'latency',
  size: 64,
  warmup: 1,
  iterations: 1,
  window: 1,
};

describe('parseHello', () => {
  it('takes a hello, and leaves out what a later version may have added', () => {
    expect(parseHello({ ...hello, colour: 'blue' })).toEqual(hello);
  });

  it('refuses another version with a sentence that names both, whatever else it says', () => {
    const other = { type: 'hello', program: hello.program, protocolVersion: 7, news: true };
    expect(() => parseHello(other)).toThrow(
      expect.objectContaining({
        code: 'MISMATCH',
        message: `this end speaks version ${PROTOCOL_VERSION} of the pingpong protocol, the other end version 7`,
      }),
    );
  });

  it.each([
    ['another program', { ...hello, program: 'iperf' }],
    ['no object', 'hello'],
    ['null', null],
    ['a hello without a version', { ...hello, protocolVersion: undefined }],
  ])('refuses %s', (_, message) => {
    expect(() => parseHello(message)).toThrow(/does not speak fabric-pingpong's protocol/);
  });

  it('names the field that is wrong', () => {
    expect(() => parseHello({ ...hello, libfabric: 1.17 })).toThrow(/"hello" has a wrong libfabric/);
  });
});

describe('parseMessage', () => {
  it('takes the message that is due', () => {
    expect(parseMessage(start, 'start', 'done')).toEqual(start);
  });

  it.each([
    ['a size of zero', { size: 0 }],
    ['a size that no memory holds', { size: 2 ** 40 }],
    ['half a byte', { size: 0.5 }],
    ['a negative count', { warmup: -1 }],
    ['an endless window', { window: 1e9 }],
    ['an unknown phase', { phase: 'jitter' }],
  ])('refuses %s', (_, wrong) => {
    expect(() => parseMessage({ ...start, ...wrong }, 'start')).toThrow(expect.objectContaining({ code: 'MISMATCH' }));
  });

  it('refuses an address that is no hexadecimal bytes', () => {
    const ready = {
      type: 'ready',
      addresses: ['abc'],
      dataAddress: '',
      controlAddress: '',
      provider: '',
      domain: '',
      transmitSize: 1,
      receiveSize: 1,
      maxMessageSize: 1,
    };
    expect(() => parseMessage(ready, 'ready')).toThrow(/wrong addresses/);
    expect(parseMessage({ ...ready, addresses: ['abcd'] }, 'ready').addresses).toEqual(['abcd']);
  });
});
