/** What libfabric says on this machine. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readLiveFacts, type LiveFacts } from '../host.js';

const TIMEOUT = 30_000;

/** Never fails: that libfabric ended the process is an answer, too. */
export async function askLibfabric(): Promise<LiveFacts> {
  const program = fileURLToPath(new URL('./answers.js', import.meta.url));
  return await new Promise((done) => {
    execFile(process.execPath, [program], { timeout: TIMEOUT, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      try {
        done(readLiveFacts(JSON.parse(stdout) as Record<string, unknown>));
      } catch {
        const last = stderr.trim().split('\n').at(-1) ?? '';
        const how = error?.signal ?? `exit code ${String(error?.code)}`;
        done({ failure: `the process that asked libfabric ended with ${how}${last === '' ? '' : `: ${last}`}` });
      }
    });
  });
}
