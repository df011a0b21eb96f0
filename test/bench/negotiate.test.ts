import { describe, expect, it } from 'vitest';
import { goesBy, negotiate as negotiateWith, type Agreement, type Offer } from '../../lib/bench/negotiate.js';
import type { Candidate } from '../../lib/bench/protocol.js';

const host: Offer['host'] = {
  name: 'node1',
  bootId: 'boot-1',
  namespaces: { pid: 'pid:[1]', mnt: 'mnt:[1]', ipc: 'ipc:[1]', net: 'net:[1]' },
  userId: 1000,
  processors: '0-3',
};
const otherHost: Offer['host'] = { ...host, name: 'node2', bootId: 'boot-2' };

function candidate(provider: string, protocol: string, changes: Partial<Candidate> = {}): Candidate {
  return {
    provider,
    protocol,
    protocolVersion: 1,
    endpointType: 'FI_EP_RDM',
    domains: ['eth0'],
    addressFormats: ['FI_SOCKADDR_IN'],
    ...changes,
  };
}

const efa = candidate('efa', 'FI_PROTO_EFA', { fabric: 'efa', addressFormats: ['FI_ADDR_EFA'] });
const shm = candidate('shm', 'FI_PROTO_SHM', { addressFormats: ['FI_ADDR_STR'] });
const net = candidate('net', 'FI_PROTO_XNET');
const tcp = candidate('tcp', 'FI_PROTO_XNET');
const rxm = candidate('tcp;ofi_rxm', 'FI_PROTO_RXM');

function offer(candidates: Candidate[], changes: Partial<Offer> = {}): Offer {
  return { libfabric: '1.17', host, candidates, withheld: [], rejected: [], ...changes };
}

const negotiate = (client: Offer, server: Offer): Agreement =>
  negotiateWith(client, server, { host: 'node2', port: 47_593 });

describe('negotiate', () => {
  it("takes the client's best of what both have, and ranks the rest after it", () => {
    const agreed = negotiate(offer([efa, rxm, net]), offer([net, rxm, efa]));
    expect(agreed.client).toBe(efa);
    expect(agreed.addressFormat).toBe('FI_ADDR_EFA');
    expect(agreed.notUsed).toEqual([
      { provider: 'tcp;ofi_rxm', protocol: 'FI_PROTO_RXM', reason: 'ranked after efa' },
      { provider: 'net', protocol: 'FI_PROTO_XNET', reason: 'ranked after efa' },
    ]);
  });

  it("falls back, and gives the server's own reason", () => {
    const rejected = [{ provider: 'efa', reason: 'no device' }];
    const agreed = negotiate(offer([efa, net]), offer([net], { rejected }));
    expect(agreed.client).toBe(net);
    expect(agreed.notUsed).toEqual([
      {
        provider: 'efa',
        protocol: 'FI_PROTO_EFA',
        reason: 'the server does not have efa (FI_PROTO_EFA): no device',
      },
    ]);
    expect(agreed.reason).toBe("the best that both ends have (the client's number 2)");
  });

  it('matches on the protocol: net of libfabric 1.17 is tcp of 2.x', () => {
    const agreed = negotiate(offer([net]), offer([rxm, tcp], { libfabric: '2.1' }));
    expect([agreed.client, agreed.server]).toEqual([net, tcp]);
    // 1.17 has no number for the version that 2.x calls 1
    expect(negotiate(offer([{ ...net, protocolVersion: 0 }]), offer([tcp])).server).toBe(tcp);
    expect(() => negotiate(offer([net]), offer([{ ...tcp, protocolVersion: 2 }]))).toThrow(/in common/);
  });

  it('prefers the same name where the server has the protocol under two', () => {
    expect(negotiate(offer([tcp]), offer([net, tcp])).server).toBe(tcp);
  });

  it('never matches tcp with tcp;ofi_rxm, nor one core of a layer with another', () => {
    const verbs = candidate('verbs;ofi_rxm', 'FI_PROTO_RXM');
    expect(() => negotiate(offer([tcp]), offer([rxm]))).toThrow(/no provider in common/);
    expect(() => negotiate(offer([verbs]), offer([rxm]))).toThrow(/no provider in common/);
  });

  it('tells efa from efa-direct, one protocol version from another, one endpoint type from another', () => {
    const different = [
      { ...efa, fabric: 'efa-direct' },
      { ...efa, protocolVersion: 4 },
      { ...efa, endpointType: 'FI_EP_DGRAM' },
    ];
    for (const other of different) {
      expect(() => negotiate(offer([efa]), offer([other]))).toThrow(/no provider in common/);
    }
  });

  it('needs an address format in common', () => {
    const six = { ...net, addressFormats: ['FI_SOCKADDR_IN6'] };
    const both = { ...net, addressFormats: ['FI_SOCKADDR_IN', 'FI_SOCKADDR_IN6'] };
    expect(negotiate(offer([both]), offer([six])).addressFormat).toBe('FI_SOCKADDR_IN6');
    expect(() => negotiate(offer([net]), offer([six]))).toThrow(
      /no address format in common: the client has FI_SOCKADDR_IN, the server FI_SOCKADDR_IN6/,
    );
  });

  it('uses shm between processes of one host', () => {
    expect(negotiate(offer([shm, net]), offer([shm, net])).client).toBe(shm);
  });

  const apart: [string, Partial<Offer>, string][] = [
    ['hosts', { host: otherHost }, 'node1 and node2 are two hosts'],
    ['users', { host: { ...host, userId: 0 } }, 'the ends run as different users'],
    ['hosts that do not say', { host: { ...host, bootId: null } }, 'does not say which one it is'],
    [
      'containers',
      { host: { ...host, namespaces: { ...host.namespaces, ipc: 'ipc:[2]', pid: null } } },
      'different containers or namespaces (pid, ipc)',
    ],
    ['libfabrics', { libfabric: '2.1' }, 'the client has 1.17, the server 2.1'],
  ];
  it.each(apart)('does not use shm between different %s', (_, changes, reason) => {
    const agreed = negotiate(offer([shm, net]), offer([shm, net], changes));
    expect(agreed.client).toBe(net);
    expect(agreed.notUsed[0]).toMatchObject({ provider: 'shm' });
    expect(agreed.notUsed[0]?.reason).toContain(reason);
  });

  it('names in one line what both lack for one reason, and the end where only one does', () => {
    const reason = 'not built in';
    const agreed = negotiate(
      offer([net], {
        rejected: [
          { provider: 'efa', reason },
          { provider: 'cxi', reason },
        ],
      }),
      offer([net], {
        rejected: [
          { provider: 'efa', reason },
          { provider: 'opx', reason },
        ],
      }),
    );
    expect(agreed.notUsed).toEqual([
      { provider: 'efa', reason },
      { provider: 'cxi', reason: 'on the client: not built in' },
      { provider: 'opx', reason: 'on the server: not built in' },
    ]);
  });

  it('says what only the server has', () => {
    const agreed = negotiate(offer([net]), offer([efa, net]));
    expect(agreed.notUsed).toEqual([
      { provider: 'efa', protocol: 'FI_PROTO_EFA', reason: 'the client does not have it' },
    ]);
  });

  it('has the commands for both ends where names hide what they have in common', () => {
    // `-p tcp` at both: 1.17 takes tcp;ofi_rxm for it, 2.x its own.
    const old = offer([rxm], { withheld: [net, shm] });
    const young = offer([tcp], { libfabric: '2.1', host: otherHost, withheld: [shm] });
    expect(() => negotiate(old, young)).toThrow(
      expect.objectContaining({
        code: 'MISMATCH',
        hint: 'both ends have FI_PROTO_XNET; server: `fabric-pingpong serve -p tcp`, client: `fabric-pingpong node2 -p net`',
      }),
    );
    expect(() => negotiate(young, old)).toThrow(
      expect.objectContaining({
        hint: 'both ends have FI_PROTO_XNET; server: `fabric-pingpong serve -p net`, client: `fabric-pingpong node2 -p tcp`',
      }),
    );
    const layered = offer([net], { withheld: [rxm] });
    expect(() => negotiate(layered, offer([rxm]))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('serve -p "tcp;ofi_rxm"`') as string }),
    );
    expect(() => negotiate(offer([efa]), offer([net]))).toThrow(expect.objectContaining({ hint: undefined }));
  });

  it('says in one sentence what each end offers when nothing matches', () => {
    expect(() => negotiate(offer([efa, shm]), offer([net], { host: otherHost }))).toThrow(
      expect.objectContaining({
        code: 'MISMATCH',
        message:
          'the ends have no provider in common; the client offers efa (FI_PROTO_EFA), ' +
          'shm (FI_PROTO_SHM); the server offers net (FI_PROTO_XNET)',
      }),
    );
  });
});

describe('goesBy', () => {
  it('takes a provider by its name and a layered one by its core', () => {
    expect(goesBy('tcp', 'tcp')).toBe(true);
    expect(goesBy('tcp;ofi_rxm', 'tcp')).toBe(true);
    expect(goesBy('tcp;ofi_rxm', 'tcp;ofi_rxm')).toBe(true);
    expect(goesBy('tcp', 'tcp;ofi_rxm')).toBe(false);
    expect(goesBy('efa-next', 'efa')).toBe(false);
  });
});
