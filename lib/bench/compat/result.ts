import { hostname } from 'node:os';
import { libraryInfo, type Info } from '../../index.js';
import { domainOf, providerOf } from '../candidates.js';
import { formatSocketAddress, readSocketAddress } from '../data-address.js';
import { BenchError } from '../errors.js';
import type { LatencyStatistics } from '../statistics.js';
import type { ByteChannel } from './byte-channel.js';
import type { ClassicLink } from './open.js';
import type { ClassicOptions } from './options.js';

/** One line of fi_pingpong's table, and what it is made of. */
export interface ClassicMeasurement {
  size: number;
  /** Round trips. */
  iterations: number;
  /** What the client says that it has received; the server believes it, as C's does. */
  acknowledged: number;
  /** From the sync to the last message, as fi_pingpong takes it. */
  microseconds: number;
  /** One-way, of every round trip as this end saw it; undefined without any. */
  latency?: LatencyStatistics;
}

/** Programs of C that this package speaks to. */
export type CompatProgram = 'fi_pingpong' | 'fabtests';

/** What a session with one of them has brought. */
export interface ClassicResult {
  compat: CompatProgram;
  role: 'client' | 'server';
  provider: string;
  protocol: string;
  endpointType: string;
  operation: 'msg' | 'tagged';
  verify: boolean;
  domain: string;
  host: string;
  libfabric: string;
  /** Where the data leaves from, and where it goes to. The control connection does not decide that. */
  dataAddress: string;
  peerDataAddress: string;
  controlAddress: string;
  peerControlAddress: string;
  measurements: ClassicMeasurement[];
}

/** A failure with what was measured before it. */
export class ClassicError extends BenchError {
  classic: ClassicResult | undefined;
}

/** What a session is, before its measurements. */
export function describe(
  compat: CompatProgram,
  { info, local, remote }: ClassicLink,
  channel: ByteChannel,
  options: ClassicOptions,
): ClassicResult {
  return {
    compat,
    role: options.host === undefined ? 'server' : 'client',
    provider: providerOf(info),
    protocol: String(info.epAttr.protocol),
    endpointType: String(info.epAttr.type),
    operation: options.operation ?? 'msg',
    verify: options.verify ?? false,
    domain: domainOf(info),
    host: hostname(),
    libfabric: libraryInfo().version,
    dataAddress: formatAddress(info, local),
    peerDataAddress: remote === undefined ? '' : formatAddress(info, remote),
    controlAddress: channel.localAddress,
    peerControlAddress: channel.remoteAddress,
    measurements: [],
  };
}

function formatAddress(info: Info, address: Buffer): string {
  const socketAddress = readSocketAddress(info.addrFormat, address);
  if (socketAddress) return formatSocketAddress(socketAddress);
  const text = address.toString('latin1').replace(/\0.*$/s, '');
  return /^[\x20-\x7e]+$/.test(text) ? text : address.toString('hex');
}
