/** Traffic over EFA, for `--loopback` and `--peer`: fabric-pingpong, and what its end means. */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Host, TrafficResult } from '../host.js';
import { Survey } from '../survey/survey.js';
import { readTraffic } from '../survey/traffic.js';

/** Where `fabric-pingpong serve` listens. */
export const CONTROL_PORT = 47593;
const TIMEOUT = 120_000;
const CONNECT_TIMEOUT = 3000;
/** Open on nearly every host: whether it is refused or taken, the host lives. */
const SSH_PORT = 22;

const SECURITY_GROUP = [
  'The security group needs two rules, all traffic (-1) with the group itself as source and as destination.',
  'Both nodes have to be in one VPC and one availability zone.',
];

/** A node at which `fabric-pingpong serve` runs. */
export interface Peer {
  readonly host: string;
  readonly port: number;
}

interface PingpongEnd {
  /** Undefined where all went well. */
  readonly code: string | undefined;
  readonly message: string;
}

/**
 * Both ends on this node, with shared memory off so that the device has to carry it: each EFA device by itself, and its
 * counters have to move.
 */
export async function testLoopback(host: Host, provider: string): Promise<TrafficResult[]> {
  const { devices, selected, loader } = new Survey(host);
  const names = devices.rdma.filter(({ isEfa }) => isEfa).map(({ name }) => name);
  // before FI_EFA_IFACE libfabric chose by itself
  const canChoose = selected !== undefined && loader.contains(selected.real, 'FI_EFA_IFACE');
  if (provider !== 'efa' || names.length === 0 || !canChoose) return [await testOnce(host, provider, names)];
  const results: TrafficResult[] = [];
  for (const name of names) results.push(await testOnce(host, provider, [name], { FI_EFA_IFACE: name }));
  return results;
}

async function testOnce(
  host: Host,
  provider: string,
  names: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<TrafficResult> {
  const name = names.length === 0 ? provider : names.join(', ');
  const count = (): bigint | undefined => {
    const found = readTraffic(host, new Survey(host).devices).filter((traffic) => names.includes(traffic.name));
    const known = found.map(({ bytes }) => bytes).filter((bytes) => bytes !== undefined);
    return known.length === 0 ? undefined : known.reduce((sum, bytes) => sum + bytes, 0n);
  };
  const before = count();
  const { code, message } = await pingpong(['local'], provider, environment);
  if (code !== undefined) {
    return { name, works: false, message: `no traffic through this node: ${message}`, fix: [] };
  }
  const after = count();
  if (before === undefined || after === undefined)
    return { name, works: true, message: 'traffic goes through', fix: [] };
  if (after > before) return { name, works: true, message: `traffic goes through: ${after - before} bytes`, fix: [] };
  return {
    name,
    works: false,
    message: 'messages arrived, but the counters of the device did not move: something else carried them',
    fix: ['Unset FI_EFA_ENABLE_SHM_TRANSFER and FI_PROVIDER, then try again.'],
  };
}

/** One end here, the other at a peer that serves. */
export async function testPeer({ host, port }: Peer, provider: string): Promise<TrafficResult> {
  const name = `${host}:${port}`;
  const { code, message } = await pingpong([host, '--port', String(port)], provider, {});
  if (code === undefined) return { name, works: true, message: `traffic goes to ${host} and back`, fix: [] };
  const meaning = code === 'UNREACHABLE' ? await whyUnreachable({ host, port }) : meaningOf(code, message, host);
  return { name, works: false, ...meaning };
}

interface Meaning {
  readonly message: string;
  readonly fix: readonly string[];
}

function meaningOf(code: string, message: string, host: string): Meaning {
  switch (code) {
    case 'STALLED':
      // TCP was accepted, and nothing more
      if (message.startsWith('stalled in handshake')) {
        return {
          message: `${host} takes the TCP connection and says nothing: its server hangs, or another program has that port`,
          fix: ['On the peer, start it anew: npx fabric-pingpong serve'],
        };
      }
      return {
        message: `${host} answers over TCP, but nothing comes through over the fabric: a security group blocks it (${message})`,
        fix: SECURITY_GROUP,
      };
    case 'MISMATCH':
      return {
        message: `${host} answers, but does not fit: ${message}`,
        fix: [
          'Use one version of node-libfabric on both nodes.',
          'On the peer, see whether it has EFA: npx fabric-doctor',
        ],
      };
    case 'NO_PROVIDER':
    case 'FALLBACK_REFUSED':
      return { message: `this node cannot use the provider: ${message}`, fix: ['See the first failing step.'] };
    case 'BUSY':
      return { message: `${host} is in a test with somebody else`, fix: ['Try again when that has ended.'] };
    case 'PEER_LOST':
      return { message: `${host} answered, then ended: ${message}`, fix: ['Look at what its server wrote.'] };
    case 'INTEGRITY':
      return { message: `data arrived damaged: ${message}`, fix: ['Report the hardware to its owners.'] };
    default:
      return { message: `fabric-pingpong failed: ${message}`, fix: [] };
  }
}

/** A server that does not run, a group that drops, a host that is dead: they answer in different ways. */
async function whyUnreachable({ host, port }: Peer): Promise<Meaning> {
  const answer = await tryConnect(host, port);
  if (answer === 'ENOTFOUND' || answer === 'EAI_AGAIN') {
    return { message: `there is no host by the name of ${host}`, fix: ['Give the address of the peer.'] };
  }
  if (answer === 'ok' || answer === 'ECONNREFUSED') {
    return {
      message: `${host} is alive, but no server is ready at port ${port}`,
      fix: ['On the peer: npx fabric-pingpong serve --provider efa'],
    };
  }
  const other = await tryConnect(host, SSH_PORT);
  if (other === 'ok' || other === 'ECONNREFUSED') {
    return {
      message: `${host} is alive (port ${SSH_PORT} answers), but TCP port ${port} does not: a security group drops it`,
      fix: SECURITY_GROUP,
    };
  }
  return {
    message: `${host} does not answer at all (${answer}): it is dead, in another network, or a security group drops everything`,
    fix: ['See whether the instance runs.', ...SECURITY_GROUP],
  };
}

async function tryConnect(host: string, port: number): Promise<string> {
  return await new Promise((done) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT });
    const end = (answer: string): void => {
      socket.destroy();
      done(answer);
    };
    socket.once('connect', () => {
      end('ok');
    });
    socket.once('timeout', () => {
      end('ETIMEDOUT');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      end(error.code ?? error.message);
    });
  });
}

async function pingpong(
  target: readonly string[],
  provider: string,
  environment: NodeJS.ProcessEnv,
): Promise<PingpongEnd> {
  const program = fileURLToPath(new URL('../../cli/fabric-pingpong.js', import.meta.url));
  const args = [
    program,
    ...target,
    '--provider',
    provider,
    '--sizes',
    '64,64k',
    '--iters',
    '100',
    '--timeout',
    '5',
    '--json',
  ];
  const env = { ...process.env, FI_EFA_ENABLE_SHM_TRANSFER: '0', ...environment };
  return await new Promise((done) => {
    execFile(process.execPath, args, { env, timeout: TIMEOUT, killSignal: 'SIGKILL' }, (error, stdout) => {
      if (error === null) {
        done({ code: undefined, message: '' });
        return;
      }
      try {
        done((JSON.parse(stdout) as { error: PingpongEnd }).error);
      } catch {
        const how = error.killed === true ? `no end in ${TIMEOUT / 1000} s` : (error.signal ?? 'no reason given');
        done({ code: 'ENDED', message: `it ended without a word (${how})` });
      }
    });
  });
}
