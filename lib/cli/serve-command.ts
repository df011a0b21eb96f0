import { serve } from '../bench/index.js';
import type { Options } from './arguments.js';
import { describeFailure, type ExitCode, type Failure } from './exit-codes.js';
import type { Listening } from './local-server.js';
import type { Output } from './output.js';

/** `fabric-pingpong serve`: waits for a client, or with --keep for one after another. */
export async function runServe(options: Options, signal: AbortSignal, output: Output): Promise<ExitCode> {
  const result = await serve({
    ...options,
    signal,
    onListening: ({ address, port, providers }) => {
      output.note(`listening on ${address} port ${port}, offering ${providers.join(', ')}`);
      process.send?.({ type: 'listening', port } satisfies Listening);
    },
    onRefused: (peer, error) => {
      output.note(`${peer}: no session: ${describeFailure(error).message}`);
    },
    onSession: ({ peer, host, provider, phases, error }) => {
      const how = error === undefined ? 'done' : describeFailure(error).message;
      output.note(`${peer} (${host}): ${provider ?? 'no provider'}, ${phases} phases: ${how}`);
    },
  });
  const failure = failureOf(result.sessions.at(-1)?.error, options.keep ?? false);
  output.served(result, failure);
  return failure?.exitCode ?? 0;
}

/** A server that keeps serving outlives its sessions; one that does not ends as its session did. */
function failureOf(error: unknown, keep: boolean): Failure | undefined {
  return error === undefined || keep ? undefined : describeFailure(error);
}
