import type { Info, LibraryInfo } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { debian13Obstacle, startFixtureInDebian13 } from './helpers/debian-13.js';

/** What the program sends over each provider, in each direction. */
const BYTES = 1 + 64 + 4096 + 65_536 + (1 << 20);

/** What `fi_info -v` says, an interface an object. Fields at the end of structures show a wrong layout. */
function fieldsOfProgram(output: string): object[] {
  const [, ...blocks] = output.split(/^fi_info:$/m);
  return blocks.map((block) => {
    const field = (name: string, group: string): string =>
      new RegExp(`^ +${group}:$[^]*?^ +${name}: (.*)$`, 'm').exec(block)![1]!;
    return {
      provider: field('prov_name', 'fi_fabric_attr'),
      fabric: field('name', 'fi_fabric_attr'),
      version: field('prov_version', 'fi_fabric_attr'),
      api: field('api_version', 'fi_fabric_attr'),
      domain: field('name', 'fi_domain_attr'),
      keySize: Number(field('mr_key_size', 'fi_domain_attr')),
      endpoints: Number(field('ep_cnt', 'fi_domain_attr')),
      errorData: Number(field('max_err_data', 'fi_domain_attr')),
      regions: Number(field('mr_cnt', 'fi_domain_attr')),
      type: field('type', 'fi_ep_attr'),
      protocol: field('protocol', 'fi_ep_attr'),
      largest: field('max_msg_size', 'fi_ep_attr'),
      tags: field('mem_tag_format', 'fi_ep_attr'),
      inject: Number(field('inject_size', 'fi_tx_attr')),
      depth: Number(field('size', 'fi_rx_attr')),
    };
  });
}

function fieldsOf({ largest, fabricAttr, domainAttr, epAttr, txAttr, rxAttr }: Info & { largest: string }): object {
  return {
    provider: fabricAttr.provName,
    fabric: fabricAttr.name,
    version: fabricAttr.provVersion,
    api: fabricAttr.apiVersion,
    domain: domainAttr.name,
    keySize: domainAttr.mrKeySize,
    endpoints: domainAttr.epCnt,
    errorData: domainAttr.maxErrData,
    regions: domainAttr.mrCnt,
    type: epAttr.type,
    protocol: epAttr.protocol,
    largest,
    tags: `0x${BigInt(epAttr.memTagFormat).toString(16).padStart(16, '0')}`,
    inject: txAttr.injectSize,
    depth: rxAttr.size,
  };
}

const reason = debian13Obstacle();
const title = reason === undefined ? '' : ` (skipped: ${reason})`;

describe.skipIf(reason !== undefined)(`the same addon on libfabric 2.1${title}`, () => {
  it('says so, and reads every structure as fi_info of 2.1 does', async () => {
    await using child = startFixtureInDebian13('in-debian-13.mjs', ['list']);
    const { code, stdout, stderr } = await child.ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { library, infos, program } = JSON.parse(stdout) as {
      library: LibraryInfo;
      infos: (Info & { largest: string })[];
      program: string;
    };
    expect(library).toMatchObject({ version: '2.1', apiVersion: '2.1', source: 'system' });
    expect(infos.map(fieldsOf)).toEqual(fieldsOfProgram(program));
    const providers = infos.map(({ fabricAttr }) => fabricAttr.provName);
    expect(providers).toEqual(expect.arrayContaining(['shm', 'sm2', 'tcp', 'tcp;ofi_rxm', 'udp']));
  });

  it.each([
    ['shm', 'FI_PROTO_SHM'],
    ['sm2', 'FI_PROTO_SM2'],
    ['tcp', 'FI_PROTO_XNET'],
    ['tcp;ofi_rxm', 'FI_PROTO_RXM'],
    ['sockets', 'FI_PROTO_SOCK_TCP'],
  ])('carries messages over %s', async (provider, protocol) => {
    await using child = startFixtureInDebian13('in-debian-13.mjs', ['exchange', provider]);
    const { code, signal, stdout, stderr } = await child.ended(25_000);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ provider, protocol, bytes: 2 * BYTES });
  });

  const [none, memory, atomics] = ['none', true, ['42', '9', '1']];
  it.each([
    ['shm', { messages: { sum: 'refused', counted: 1 }, memory, atomics }],
    // its immediate data does not arrive with a vector
    ['sm2', { messages: { data: 'undefined', sum: 'refused', counted: 1 } }],
    ['tcp', { memory, connections: 'echo' }],
    ['tcp;ofi_rxm', { memory, atomics, collectives: [6, 6, 6] }],
    ['sockets', { messages: { sum: 'refused', counted: 1 }, memory, atomics, connections: 'echo' }],
  ])('does over %s what it does on 1.17', async (provider, differences) => {
    const messages = { text: 'vector', data: '4660', known: true, sum: 4950, counted: 101 };
    const introspection = { isShown: true, hasLog: true, hasParams: true };
    const usual = { messages, memory: none, atomics: none, collectives: none, connections: none, introspection };
    await using child = startFixtureInDebian13('groups-in-debian-13.mjs', [provider]);
    const { code, signal, stdout, stderr } = await child.ended(25_000);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    const expected = {
      ...usual,
      ...differences,
      messages: { ...messages, ...('messages' in differences ? differences.messages : {}) },
    };
    expect(JSON.parse(stdout)).toEqual(expected);
  });
});
