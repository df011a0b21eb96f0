/** What libfabric says on this machine. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readLiveFacts, type LiveFacts } from '../host.js';

const TIMEOUT = 30_000;
/** libfabric's log of a run of this kind has some lines a device. */
const OUTPUT_LIMIT = 16 << 20;
/** What it may say of efa, and how much of that is worth keeping. */
const ABOUT_EFA = /:efa:|provider efa|env variable detected/;
const KEPT_LINES = 8;

/** Never fails: that libfabric ended the process is an answer, too. */
export async function askLibfabric(): Promise<LiveFacts> {
  const program = fileURLToPath(new URL('./answers.js', import.meta.url));
  // its warnings say why there is no efa; what the user has set may be silence, or a flood
  const env = { ...process.env, FI_LOG_LEVEL: 'warn', FI_LOG_PROV: '', FI_LOG_SUBSYS: '' };
  const options = { timeout: TIMEOUT, killSignal: 'SIGKILL', maxBuffer: OUTPUT_LIMIT, env } as const;
  return await new Promise((done) => {
    execFile(process.execPath, [program], options, (error, stdout, stderr) => {
      const log = stderr
        .split('\n')
        .filter((line) => ABOUT_EFA.test(line))
        .slice(0, KEPT_LINES);
      try {
        done({ ...readLiveFacts(JSON.parse(stdout) as Record<string, unknown>), log });
      } catch {
        const how = error?.killed === true ? `no answer in ${TIMEOUT / 1000} s` : (error?.signal ?? 'no answer');
        done({ failure: `the process that asked libfabric ended: ${how}`, log });
      }
    });
  });
}
