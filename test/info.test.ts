import {
  CAPABILITIES,
  Endpoint,
  getInfo,
  MR_MODES,
  type Hints,
  type Info,
  type InfoQuery,
  type Nic,
} from 'node-libfabric';
import { execFileSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { within } from './helpers/within.js';

const EVERY_BIT = 2n ** 64n - 1n;
/** What the program fi_info hints by itself, where it hints at all: every mode, and every registration mode but the two old ones. */
const FI_INFO_HINTS = {
  mode: EVERY_BIT,
  domainAttr: { mode: EVERY_BIT, mrMode: 0xffff_ffffn & ~(MR_MODES.FI_MR_BASIC | MR_MODES.FI_MR_SCALABLE) },
} as const satisfies Hints;

/** What the program fi_info prints, an interface a line. */
function listedByProgram(...args: readonly string[]): string[] {
  const output = execFileSync('fi_info', args, { encoding: 'utf8', timeout: 20_000 });
  const [, ...blocks] = output.split(/^provider: /m);
  return blocks.map((block) => {
    const field = (name: string): string => new RegExp(`^ +${name}: (.*)$`, 'm').exec(block)![1]!;
    const fields = ['fabric', 'domain', 'version', 'type', 'protocol'].map(field);
    return [block.split('\n')[0]!, ...fields].join(' ');
  });
}

function inALine({ fabricAttr, domainAttr, epAttr }: Info): string {
  const { provName, name, provVersion } = fabricAttr;
  return [provName, name, domainAttr.name, provVersion, epAttr.type, epAttr.protocol].join(' ');
}

const everything = getInfo();
const providers = [...new Set(everything.map(({ fabricAttr }) => fabricAttr.provName!))];
const ofProvider = (provider: string): Info[] => everything.filter((info) => info.fabricAttr.provName === provider);

describe('getInfo', () => {
  it('lists what fi_info lists, in its order', () => {
    expect(everything.length).toBeGreaterThan(0);
    expect(everything.map(inALine)).toEqual(listedByProgram());
  });

  it.each<[string[], Hints]>([
    [['-p', 'tcp'], { fabricAttr: { provName: 'tcp' } }],
    [['-p', 'shm'], { fabricAttr: { provName: 'shm' } }],
    [['-t', 'FI_EP_RDM'], { epAttr: { type: 'FI_EP_RDM' } }],
    [['-t', 'FI_EP_DGRAM'], { epAttr: { type: 'FI_EP_DGRAM' } }],
    [['-c', 'FI_TAGGED|FI_RMA'], { caps: ['FI_TAGGED', 'FI_RMA'] }],
    [['-c', 'FI_ATOMIC'], { caps: 'FI_ATOMIC' }],
    [['-d', 'lo'], { domainAttr: { name: 'lo' } }],
    [['-a', 'FI_SOCKADDR_IN'], { addrFormat: 'FI_SOCKADDR_IN' }],
    [['-p', 'udp', '-t', 'FI_EP_DGRAM'], { fabricAttr: { provName: 'udp' }, epAttr: { type: 'FI_EP_DGRAM' } }],
  ])('lists what fi_info lists with %j', (args, hints) => {
    const domainAttr = { ...FI_INFO_HINTS.domainAttr, ...hints.domainAttr };
    const listed = getInfo({ ...FI_INFO_HINTS, ...hints, domainAttr }).map(inALine);
    expect(listed).toEqual(listedByProgram(...args));
    expect(listed.length).toBeGreaterThan(0);
    expect(listed.length).toBeLessThan(everything.length);
  });

  it('lists what fi_info lists for an address of this host, and of a peer', () => {
    const query = { node: '127.0.0.1', service: '4711' };
    expect(getInfo(undefined, query).map(inALine)).toEqual(listedByProgram('-n', '127.0.0.1', '-P', '4711'));
    expect(getInfo(undefined, { ...query, flags: ['FI_SOURCE'] }).map(inALine)).toEqual(
      listedByProgram('-s', '127.0.0.1', '-P', '4711'),
    );
  });

  it('puts the address that was asked for into srcAddr, or into destAddr', () => {
    const hints = { fabricAttr: { provName: 'tcp' }, addrFormat: 'FI_SOCKADDR_IN' } as const;
    const bytes = [2, 0, 4711 >> 8, 4711 & 0xff, 127, 0, 0, 1];
    const query = { node: '127.0.0.1', service: '4711' };
    const [source] = getInfo(hints, { ...query, flags: 'FI_SOURCE' });
    expect([...source!.srcAddr!.subarray(0, 8)]).toEqual(bytes);
    const [destination] = getInfo(hints, query);
    expect([...destination!.destAddr!.subarray(0, 8)]).toEqual(bytes);
  });

  it('lists nothing where nothing fits', () => {
    expect(getInfo({ fabricAttr: { provName: 'nosuch' } })).toEqual([]);
    expect(getInfo({ caps: ['FI_COLLECTIVE', 'FI_XPU_TRIGGER', 'FI_MULTICAST'] })).toEqual([]);
  });

  it('lists the attributes of every provider with FI_PROV_ATTR_ONLY', () => {
    const listed = getInfo(undefined, { flags: 'FI_PROV_ATTR_ONLY' }).map(({ fabricAttr }) => fabricAttr.provName);
    expect(listed).toEqual(expect.arrayContaining(['shm', 'tcp', 'udp', 'sockets']));
    expect(listed).toHaveLength(execFileSync('fi_info', ['-l'], { encoding: 'utf8' }).match(/^\S+:$/gm)!.length);
  });

  it('answers several threads at once', async () => {
    const code = `
      import { parentPort } from 'node:worker_threads';
      import { getInfo } from 'node-libfabric';
      const counts = Array.from({ length: 5 }, () => getInfo().length);
      parentPort.postMessage(counts);
    `;
    const url = new URL(`data:text/javascript,${encodeURIComponent(code.replaceAll('node-libfabric', built))}`);
    const counts = Array.from({ length: 4 }, () => {
      const worker = new Worker(url);
      return new Promise<number[]>((resolve, reject) => worker.on('message', resolve).on('error', reject));
    });
    const own = getInfo().length;
    expect((await within(Promise.all(counts), 'four workers', 25_000)).flat()).toEqual(Array<number>(20).fill(own));
  });
});

/** The package as users import it; a data: URL cannot resolve its name. */
const built = import.meta.resolve('../dist/index.js');

describe.each(providers)('an info of %s', (provider) => {
  const infos = ofProvider(provider);

  it('given back as hints finds itself', () => {
    for (const info of infos) expect(getInfo(info)).toContainEqual(info);
  });

  it('given back as hints finds itself after it was edited, cloned or sent to a thread', () => {
    for (const info of infos) {
      expect(getInfo({ ...info, epAttr: { ...info.epAttr } })).toContainEqual(info);
      const found = getInfo(structuredClone(info)).map((other) => JSON.stringify(other));
      expect(found).toContain(JSON.stringify(info));
    }
  });

  it('given back as hints finds itself after it was stored as JSON', () => {
    for (const info of infos) {
      expect(getInfo(JSON.parse(JSON.stringify(info)) as Hints)).toContainEqual(info);
    }
  });

  it('has the exact values in raw, which is not enumerable', () => {
    for (const info of infos) {
      const { raw } = info;
      expect(Object.keys(info)).not.toContain('raw');
      const capabilities = info.caps.map((name) => (CAPABILITIES as Record<string, bigint>)[name] ?? BigInt(name));
      expect(raw['caps']).toBe(capabilities.reduce((sum, bit) => sum | bit, 0n));
      const endpoint = raw['epAttr'] as Record<string, bigint>;
      expect(endpoint['maxMsgSize']).toBeTypeOf('bigint');
      expect(endpoint['memTagFormat']).toBe(BigInt(info.epAttr.memTagFormat));
      expect(Number(endpoint['maxMsgSize']) - info.epAttr.maxMsgSize).toBeLessThanOrEqual(4096);
    }
  });

  it('is known by names, and to what fi_info -v says', () => {
    const verbose = execFileSync('fi_info', ['-v', '-p', provider], { encoding: 'utf8', timeout: 20_000 });
    const [, ...blocks] = verbose.split(/^fi_info:$/m);
    const told = blocks.map((block) => {
      const field = (name: string, after = ''): string =>
        new RegExp(`${after}[^]*?^ +${name}: (?:\\[ )?(.*?)(?: +\\])?$`, 'm').exec(block)![1]!;
      return {
        caps: field('caps').split(', ').sort(),
        format: field('addr_format'),
        inject: field('inject_size'),
        depth: field('size', 'fi_rx_attr'),
        protocolVersion: field('protocol_version'),
        largest: field('max_msg_size'),
        threading: field('threading'),
        progress: field('data_progress'),
        registration: field('mr_mode').split(', ').filter(Boolean).sort(),
        keySize: field('mr_key_size'),
        endpoints: field('ep_cnt'),
        api: field('api_version'),
      };
    });
    const ours = getInfo({ ...FI_INFO_HINTS, fabricAttr: { provName: provider } }).map((info) => {
      const { caps, addrFormat, txAttr, rxAttr, epAttr, domainAttr, fabricAttr, raw } = info;
      return {
        caps: caps.toSorted(),
        format: addrFormat,
        inject: String(txAttr.injectSize),
        depth: String(rxAttr.size),
        protocolVersion: String(epAttr.protocolVersion),
        largest: String((raw['epAttr'] as Record<string, bigint>)['maxMsgSize']),
        threading: domainAttr.threading,
        progress: domainAttr.dataProgress,
        registration: domainAttr.mrMode.toSorted(),
        keySize: String(domainAttr.mrKeySize),
        endpoints: String(domainAttr.epCnt),
        api: fabricAttr.apiVersion,
      };
    });
    expect(ours.length).toBeGreaterThan(0);
    expect(ours).toEqual(told);
  });
});

const CARD: Nic = {
  deviceAttr: {
    name: 'mlx5_0',
    deviceId: '0x101b',
    deviceVersion: '0',
    vendorId: '0x02c9',
    driver: undefined,
    firmware: '20.31.1014',
  },
  busAttr: { busType: 'FI_BUS_PCI', domainId: 0, busId: 0xaf, deviceId: 31, functionId: 7 },
  linkAttr: { address: 'fe80::1', mtu: 4096, speed: 100e9, state: 'FI_LINK_UP', networkType: 'Ethernet' },
};

describe('what is known about a card', () => {
  it('changes nothing as a hint where no provider looks at it', () => {
    const hints = { fabricAttr: { provName: 'tcp' } };
    expect(getInfo({ ...hints, nic: CARD })).toEqual(getInfo(hints));
    expect(getInfo({ ...hints, nic: {} })).toEqual(getInfo(hints));
  });

  it('goes with an info through the opening of everything', () => {
    const [info] = getInfo({ caps: ['FI_MSG'], epAttr: { type: 'FI_EP_RDM' }, fabricAttr: { provName: 'shm' } });
    const endpoint = Endpoint.open({ ...info!, nic: CARD });
    expect(endpoint.info.nic).toEqual(CARD);
    expect(endpoint.address.byteLength).toBeGreaterThan(0);
    endpoint.close();
  });
});

describe('hints that no fi_info has', () => {
  it.each<[unknown, string]>([
    [{ cap: ['FI_MSG'] }, 'hints.cap: no such field; known are caps, mode, addrFormat, srcAddr'],
    [{ epAttr: { kind: 3 } }, 'hints.epAttr.kind: no such field; known are type, protocol'],
    [{ nic: { linkAttr: { state: 'UP' } } }, "hints.nic.linkAttr.state: 'UP' is none of FI_LINK_UNKNOWN"],
    [{ nic: { pci: {} } }, 'hints.nic.pci: no such field; known are deviceAttr, busAttr, linkAttr'],
    [{ constructor: {} }, 'hints.constructor: no such field'],
    [{ epAttr: 'FI_EP_RDM' }, "hints.epAttr: expected an object, not 'FI_EP_RDM'"],
    [{ epAttr: null }, 'hints.epAttr: expected an object, not null'],
    [{ epAttr: { type: 'FI_EP_RMD' } }, "hints.epAttr.type: 'FI_EP_RMD' is none of FI_EP_UNSPEC"],
    [{ epAttr: { type: 'toString' } }, "hints.epAttr.type: 'toString' is none of FI_EP_UNSPEC"],
    [{ caps: ['FI_MGS'] }, "hints.caps: 'FI_MGS' is none of FI_MSG"],
    [{ srcAddr: '127.0.0.1' }, "hints.srcAddr: expected a Uint8Array, not '127.0.0.1'"],
    [{ fabricAttr: { provName: 7 } }, 'hints.fabricAttr.provName: expected a string'],
    [null, 'hints: expected an object, not null'],
    ['tcp', "hints: expected an object, not 'tcp'"],
    [['FI_MSG'], 'hints'],
  ])('are a TypeError: %o', (hints, message) => {
    const call = (): unknown => getInfo(hints as Hints);
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });

  it.each<[Hints, string]>([
    [{ caps: -1n }, 'hints.caps: -1n is not an unsigned 64-bit integer'],
    [{ txAttr: { size: 1.5 } }, 'hints.txAttr.size: 1.5 is not an unsigned 64-bit integer'],
    [{ domainAttr: { mrMode: 2n ** 64n } }, 'hints.domainAttr.mrMode: 18446744073709551616n'],
    [{ addrFormat: 'FI_SOCKADDR_IN', srcAddr: Buffer.alloc(28) }, 'hints.srcAddr: FI_SOCKADDR_IN has 16 bytes, not 28'],
    [{ addrFormat: 'FI_SOCKADDR_IN', destAddr: Buffer.alloc(0) }, 'hints.destAddr: expected 1 to 1024 bytes, not 0'],
  ])('are a RangeError: %o', (hints, message) => {
    const call = (): unknown => getInfo(hints);
    expect(call).toThrow(RangeError);
    expect(call).toThrow(message);
  });

  it.each<[unknown, string]>([
    [{ node: 7 }, 'query.node: expected a string'],
    [{ service: 4711 }, 'query.service: expected a string'],
    [{ node: 'a\0b' }, 'query.node: expected a string without NUL'],
    [{ flags: 'FI_SRC' }, "query.flags: 'FI_SRC' is none of FI_PEER"],
  ])('nor are queries such as %o', (query, message) => {
    const call = (): unknown => getInfo(undefined, query as InfoQuery);
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });
});
