import { connect as connectSocket, type Socket } from 'node:net';
import { explainConnect, listen } from '../connect.js';
import { BenchError } from '../errors.js';
import { CLASSIC_PORT, type ClassicOptions } from './options.js';

/** The control connection of a client. */
export function connectControl(
  { host, port = CLASSIC_PORT, sourcePort, ipv6, signal }: ClassicOptions,
  timeout: number,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: host!, port, localPort: sourcePort, family: ipv6 === true ? 6 : 4 });
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => {
      fail(new BenchError('UNREACHABLE', `cannot reach ${host} port ${port}: no answer within ${timeout / 1000} s`));
    }, timeout);
    signal?.addEventListener('abort', () => {
      fail(new BenchError('INTERRUPTED', 'interrupted in connect'));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      fail(
        explainConnect(
          host!,
          port,
          error,
          `start fi_pingpong, or fabric-pingpong --compat fi_pingpong, on ${host} first`,
        ),
      );
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** That of a server: one client, and nobody after it. */
export async function acceptControl({
  port = CLASSIC_PORT,
  ipv6,
  signal,
  onListening,
}: ClassicOptions): Promise<Socket> {
  const listener = await listen(port, ipv6 === true ? '::' : '0.0.0.0');
  try {
    return await new Promise<Socket>((resolve, reject) => {
      listener.once('connection', resolve);
      const onAbort = (): void => {
        reject(new BenchError('INTERRUPTED', 'interrupted while it waited for a client'));
      };
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted) onAbort();
      const at = listener.address();
      if (typeof at === 'object' && at) onListening?.({ address: at.address, port: at.port });
    });
  } finally {
    listener.close();
  }
}
