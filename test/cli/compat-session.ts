import { ClassicError, classicPingpong, fabtestsPingpong, type ClassicResult } from 'node-libfabric/bench';
import { parseCompatArguments } from '../../lib/cli/compat-arguments.js';
import { describeFailure } from '../../lib/cli/exit-codes.js';

/** How a session ended. */
export interface Outcome {
  /** The exit code of fabric-pingpong, and what it would say. */
  code: number;
  said: string;
  result: ClassicResult | undefined;
}

/** What the command line of a test does not say. */
export interface SessionOptions {
  host?: string;
  port: number;
  onListening?: (at: { port: number }) => void;
}

/** The session that `fabric-pingpong --compat` makes of these arguments, in this process. */
export async function compatSession(
  program: 'fi_pingpong' | 'fabtests',
  args: readonly string[],
  options: SessionOptions,
): Promise<Outcome> {
  const parsed = parseCompatArguments(['--compat', program, '--timeout', '5', ...args]);
  if (parsed === undefined) throw new Error(`no session: ${args.join(' ')}`);
  const { session } = parsed;
  try {
    const result =
      session.program === 'fabtests'
        ? await fabtestsPingpong({ ...session.options, ...options })
        : await classicPingpong({ ...session.options, ...options });
    return { code: 0, said: '', result };
  } catch (error) {
    const { exitCode, message, hint = '' } = describeFailure(error);
    return {
      code: exitCode,
      said: `${message} ${hint}`,
      result: error instanceof ClassicError ? error.classic : undefined,
    };
  }
}
