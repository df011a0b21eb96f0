import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { BenchError } from './errors.js';

/** Opens the control connection. Rejects with a BenchError `UNREACHABLE` or `INTERRUPTED`. */
export function connect(host: string, port: number, timeout: number, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host, port });
    const fail = (error: BenchError): void => {
      release();
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => {
      fail(new BenchError('INTERRUPTED', 'interrupted in connect'));
    };
    const timer = setTimeout(() => {
      fail(unreachable(host, port, `no answer within ${timeout / 1000} s`, FIREWALL_HINT));
    }, timeout);
    const release = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    socket.once('connect', () => {
      release();
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      fail(explainConnect(host, port, error, `start \`fabric-pingpong serve\` on ${host} first`));
    });
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
  });
}

/** Opens the server's control port. Rejects with a BenchError `ADDRESS_IN_USE`. */
export function listen(port: number, bind: string | undefined): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = bind === undefined ? `port ${port}` : `${bind} port ${port}`;
      const isTaken = error.code === 'EADDRINUSE';
      const why = isTaken ? 'another process listens there' : error.message;
      reject(
        new BenchError('ADDRESS_IN_USE', `cannot listen on ${where}: ${why}`, {
          hint: 'choose another one with --port or --bind',
          cause: error,
        }),
      );
    });
    server.listen({ port, host: bind }, () => {
      resolve(server);
    });
  });
}

const FIREWALL_HINT = 'does a firewall or security group let this TCP port through?';

/** Why a connection could not be made; `hint` is for one that nobody answers. */
export function explainConnect(host: string, port: number, error: NodeJS.ErrnoException, hint: string): BenchError {
  const { code = '' } = error;
  if (code === 'ECONNREFUSED') {
    return unreachable(host, port, 'nothing listens there', hint, error);
  }
  if (code === 'ETIMEDOUT') return unreachable(host, port, 'no answer', FIREWALL_HINT, error);
  const isUnknown = ['ENOTFOUND', 'EAI_AGAIN'].includes(code);
  return unreachable(host, port, isUnknown ? 'no such host' : error.message, undefined, error);
}

function unreachable(host: string, port: number, why: string, hint?: string, cause?: unknown): BenchError {
  return new BenchError('UNREACHABLE', `cannot reach ${host} port ${port}: ${why}`, {
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}
