import type { Info, LibraryInfo } from 'node-libfabric';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Child, isSanitized } from './helpers/child.js';
import { canMount } from './helpers/mount.js';

const CHECKOUT = fileURLToPath(new URL('..', import.meta.url));
/** Made by scripts/debian-13-root.sh. */
const DEBIAN = join(CHECKOUT, 'build/trixie');

/** What the program sends over each provider, in each direction. */
const BYTES = 1 + 64 + 4096 + 65_536 + (1 << 20);

/** Why the tests cannot run here. */
function obstacle(): string | undefined {
  if (!existsSync(join(DEBIAN, 'usr/bin/fi_info')))
    return 'there is no build/trixie; scripts/debian-13-root.sh makes it';
  if (!canMount()) return 'mounting is not allowed';
  if (isSanitized) return "the sanitizers' run-time library of this system does not fit another one";
  return undefined;
}

// In a mount namespace of its own, so that nothing is left behind: $0 the root, $1 the checkout, $2 node.
const ENTER = `
  mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc" && mount --rbind /sys "$0/sys" &&
  mount -t tmpfs none "$0/tmp" && mount -t tmpfs none "$0/opt" && mkdir "$0/opt/checkout" && touch "$0/opt/node" &&
  mount --bind "$1" "$0/opt/checkout" && mount --bind "$2" "$0/opt/node" && root=$0 && shift 2 &&
  exec chroot "$root" /opt/node "/opt/checkout/test/fixtures/$@"`;

function startInDebian13(fixture: string, ...args: readonly string[]): Child {
  const chosen = process.env['NODE_LIBFABRIC_ADDON'];
  const addon = chosen === undefined ? '' : join('/opt/checkout', relative(CHECKOUT, chosen));
  const entering = ['-m', 'sh', '-c', ENTER, DEBIAN, CHECKOUT, process.execPath, fixture, ...args];
  return new Child('the program in Debian 13', 'unshare', entering, {
    NODE_LIBFABRIC_ADDON: addon,
    // names a file of the system outside, where it is set
    NODE_EXTRA_CA_CERTS: '',
  });
}

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

const reason = obstacle();
const title = reason === undefined ? '' : ` (skipped: ${reason})`;

describe.skipIf(reason !== undefined)(`the same addon on libfabric 2.1${title}`, () => {
  it('says so, and reads every structure as fi_info of 2.1 does', async () => {
    await using child = startInDebian13('in-debian-13.mjs', 'list');
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
    await using child = startInDebian13('in-debian-13.mjs', 'exchange', provider);
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
    await using child = startInDebian13('groups-in-debian-13.mjs', provider);
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
