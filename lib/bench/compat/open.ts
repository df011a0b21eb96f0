import {
  CompletionQueue,
  ConnectedEndpoint,
  Domain,
  Endpoint,
  EventQueue,
  Fabric,
  getInfo,
  PassiveEndpoint,
  type ConnectionRequest,
  type Hints,
  type Info,
} from '../../index.js';
import { ADDRESS_FORMATS } from '../../constants.js';
import { BenchError } from '../errors.js';
import type { ByteChannel } from './byte-channel.js';
import { DataPath } from './data-path.js';
import { largestSize, type ClassicOptions } from './options.js';

/** An address as fi_pingpong sends it. */
export interface Name {
  format: Info['addrFormat'];
  address: Buffer;
}

/** An open data path, and what was opened. */
export interface ClassicLink {
  info: Info;
  path: DataPath;
  local: Buffer;
  remote: Buffer | undefined;
  close: () => void;
}

const MOST_NAME = 1024;

/** The name of an endpoint: its length in network order, its format in the host's, itself. One buffer, one segment. */
export function sendName(channel: ByteChannel, { format, address }: Name): void {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(address.length, 0);
  head.writeUInt32LE(typeof format === 'number' ? format : ADDRESS_FORMATS[format], 4);
  channel.write(Buffer.concat([head, address]));
}

/** The other end's name. @throws BenchError `MISMATCH` for what no fi_pingpong sends */
export async function receiveName(channel: ByteChannel): Promise<Name> {
  const head = await channel.read(8);
  const length = head.readUInt32BE(0);
  if (length === 0 || length > MOST_NAME) {
    throw new BenchError('MISMATCH', `the other end is no fi_pingpong: its name would be ${length} bytes long`);
  }
  const number = head.readUInt32LE(4);
  const known = Object.entries(ADDRESS_FORMATS).find(([, value]) => value === number)?.[0];
  if (known === undefined || number === ADDRESS_FORMATS.FI_FORMAT_UNSPEC) {
    throw new BenchError('MISMATCH', `the other end is no fi_pingpong: it has address format ${number}`);
  }
  return { format: known as Info['addrFormat'], address: await channel.read(length) };
}

/** What fi_getinfo(3) lists first for what fi_pingpong would ask. @throws BenchError `NO_PROVIDER` */
export function chooseInfo(options: ClassicOptions, server?: Name): Info {
  const { endpointType = 'dgram', operation, provider, domain, fabric, source } = options;
  const hints: Hints = {
    caps: [operation === 'tagged' ? 'FI_TAGGED' : 'FI_MSG'],
    // As select() does it. C accepts FI_MSG_PREFIX of all.
    mode: ['FI_CONTEXT', 'FI_CONTEXT2', ...(endpointType === 'dgram' ? (['FI_MSG_PREFIX'] as const) : [])],
    epAttr: { type: `FI_EP_${endpointType.toUpperCase()}` as 'FI_EP_RDM' },
    domainAttr: { name: domain, mrMode: ['FI_MR_LOCAL', 'FI_MR_ALLOCATED', 'FI_MR_PROV_KEY', 'FI_MR_VIRT_ADDR'] },
    fabricAttr: { provName: provider, name: fabric },
    ...(server && { addrFormat: server.format, destAddr: server.address }),
  };
  const [info] = getInfo(hints, source === undefined ? {} : { node: source, flags: ['FI_SOURCE'] });
  if (info) return info;
  const wanted = [provider ?? 'any provider', endpointType, operation ?? 'msg', domain, fabric, source];
  const towards = server ? `, to the other end's address (${String(server.format)})` : '';
  throw new BenchError('NO_PROVIDER', `nothing here is ${wanted.filter(Boolean).join(', ')}${towards}`, {
    hint: `fabric-info --why -t ${endpointType}${provider === undefined ? '' : ` -p "${provider}"`} says why`,
  });
}

/** The connectionless data path of either end: the server says its name first. */
export async function openConnectionless(channel: ByteChannel, options: ClassicOptions): Promise<ClassicLink> {
  const isClient = options.host !== undefined;
  const theirs = isClient ? await receiveName(channel) : undefined;
  channel.phase = 'endpoint set-up';
  const info = chooseInfo(options, theirs);
  const endpoint = Endpoint.open(info, { progress: 'manual' });
  try {
    const path = new DataPath(endpoint, options.operation === 'tagged', limit(info, options));
    channel.phase = 'name exchange';
    sendName(channel, { format: info.addrFormat, address: endpoint.address });
    const { address } = theirs ?? (await path.progressUntil(receiveName(channel)));
    path.peer = endpoint.addressVector.insert(address);
    return {
      info,
      path,
      local: endpoint.address,
      remote: address,
      close: () => {
        endpoint.close();
      },
    };
  } catch (error) {
    endpoint.close();
    throw error;
  }
}

/** The client's half of a connection. */
export async function openConnected(
  channel: ByteChannel,
  options: ClassicOptions,
  timeout: number,
): Promise<ClassicLink> {
  const theirs = await receiveName(channel);
  channel.phase = 'endpoint set-up';
  const info = chooseInfo(options, theirs);
  const fabric = new Fabric(info);
  try {
    const link = openEndpoint(fabric, new EventQueue(fabric), info, options);
    channel.phase = 'connect';
    await link.endpoint.connect({ address: theirs.address, timeout });
    return { ...link, remote: theirs.address };
  } catch (error) {
    fabric.close();
    throw error;
  }
}

/** The server's half: listens, says where, and accepts one connection. */
export async function acceptConnection(
  channel: ByteChannel,
  options: ClassicOptions,
  timeout: number,
): Promise<ClassicLink> {
  channel.phase = 'endpoint set-up';
  const info = chooseInfo(options);
  const fabric = new Fabric(info);
  let timer: NodeJS.Timeout | undefined;
  try {
    const eventQueue = new EventQueue(fabric);
    const passive = new PassiveEndpoint(fabric, { eventQueue }, info);
    const requested = new Promise<ConnectionRequest>((resolve, reject) => {
      passive.listen({ onRequest: resolve });
      const startedAt = performance.now();
      // The control connection is the only thing that says that the client has gone.
      timer = setInterval(() => {
        if (channel.failure) reject(channel.failure);
        else if (performance.now() - startedAt > timeout) {
          reject(
            new BenchError('STALLED', `stalled in connect: the client did not connect within ${timeout / 1000} s`),
          );
        }
      }, 20);
    });
    sendName(channel, { format: info.addrFormat, address: passive.address });
    channel.phase = 'connect';
    const request = await requested;
    const remote = request.info.destAddr;
    const link = openEndpoint(fabric, eventQueue, request, options);
    await link.endpoint.accept({ timeout });
    return { ...link, remote };
  } catch (error) {
    fabric.close();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

function openEndpoint(
  fabric: Fabric,
  eventQueue: EventQueue,
  from: Info | ConnectionRequest,
  options: ClassicOptions,
): Omit<ClassicLink, 'remote'> & { endpoint: ConnectedEndpoint } {
  const info = 'passiveEndpoint' in from ? from.info : from;
  const domain = new Domain(fabric, info);
  const size = Math.min(info.txAttr.size + info.rxAttr.size, 1 << 16);
  const completionQueue = new CompletionQueue(domain, { size, progress: 'manual' });
  const endpoint = new ConnectedEndpoint(domain, { completionQueue, eventQueue }, from);
  const path = new DataPath(endpoint, options.operation === 'tagged', limit(info, options));
  const close = (): void => {
    if (!endpoint.closed) endpoint.shutdown();
    fabric.close();
  };
  return { info, path, local: endpoint.address, close, endpoint };
}

/** The largest message of the session. */
export function limit(info: Info, options: ClassicOptions): number {
  return Math.min(largestSize(options), info.epAttr.maxMsgSize);
}
