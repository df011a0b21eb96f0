/** What C's fi_pingpong takes, by names instead of letters. */
export interface ClassicOptions {
  /** The server; without it this end is the server. `dst_addr` */
  host?: string;
  /** `-P` of a client, `-B` of a server. @defaultValue 47592 */
  port?: number;
  /** `-B` of a client: the port that the control connection leaves from. */
  sourcePort?: number;
  /** `-p` */
  provider?: string;
  /** `-d` */
  domain?: string;
  /** `-f` */
  fabric?: string;
  /** `-s` */
  source?: string;
  /** `-e` @defaultValue `'dgram'` */
  endpointType?: 'msg' | 'rdm' | 'dgram';
  /** `-m` @defaultValue `'msg'` */
  operation?: 'msg' | 'tagged';
  /** `-I` @defaultValue 10 */
  iterations?: number;
  /** `-S`: one size, or `'all'`. @defaultValue 64, 256, 1024, 4096, 65 536, 1 048 576 */
  size?: number | 'all';
  /** `-c` */
  verify?: boolean;
  /** `-6` */
  ipv6?: boolean;
  /** Milliseconds that any phase may take without progress. @defaultValue 10 000 */
  timeout?: number;
  signal?: AbortSignal;
  /** Called once a server listens. */
  onListening?: (at: { address: string; port: number }) => void;
  /** Called with the name of each phase that begins. `-v` */
  onPhase?: (phase: string) => void;
}

/** The control port of C's fi_pingpong. */
export const CLASSIC_PORT = 47_592;

/** That of fabtests with -b. */
export const FABTESTS_PORT = 3000;

const DEFAULT_SIZES = [64, 256, 1024, 4096, 65_536, 1_048_576];
/** What C allocates without -S: 4 MiB and half of it again. */
const LARGEST = 6 * 1024 ** 2;

/** The largest message of a session, before the provider's limit. */
export function largestSize({ size }: ClassicOptions): number {
  return typeof size === 'number' ? size : LARGEST;
}

/** The sizes that C measures where the provider sends up to `limit` bytes: the larger ones are left out silently. */
export function classicSizes({ size }: ClassicOptions, limit: number): number[] {
  if (typeof size === 'number') return size <= limit ? [size] : [];
  return (size === 'all' ? everySize() : DEFAULT_SIZES).filter((candidate) => candidate <= limit);
}

/** 0, 1, 2, 3, 4, 6, 8 … : each power of two, and half of it more. */
function everySize(): number[] {
  const sizes = [0, 1];
  for (let power = 2; power <= LARGEST; power *= 2) sizes.push(power, power + power / 2);
  return sizes.filter((size) => size <= LARGEST);
}

/** The command that the other end needs, with C's program. */
export function commandForPeer(options: ClassicOptions, address: string): string {
  const { provider, domain, endpointType = 'dgram', operation, iterations, size, verify, ipv6, port } = options;
  const words = ['fi_pingpong'];
  if (provider !== undefined) words.push('-p', provider.includes(';') ? `"${provider}"` : provider);
  if (domain !== undefined) words.push('-d', domain);
  words.push('-e', endpointType);
  if (operation === 'tagged') words.push('-m', 'tagged');
  if (iterations !== undefined) words.push('-I', String(iterations));
  if (size !== undefined) words.push('-S', String(size));
  if (verify === true) words.push('-c');
  if (ipv6 === true) words.push('-6');
  const isServer = options.host === undefined;
  if (port !== undefined) words.push(isServer ? '-P' : '-B', String(port));
  if (isServer) words.push(address);
  return words.join(' ');
}
