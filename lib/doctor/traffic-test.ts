/** Traffic over EFA, for `--loopback` and `--peer`: fabric-pingpong, and what its end means. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What came of it. */
export interface TrafficTest {
  readonly works: boolean;
  readonly sentence: string;
  readonly fix: readonly string[];
  /** What fabric-pingpong said. */
  readonly details: string;
}

/** Exit codes of fabric-pingpong, in terms of a peer and its security group. */
const MEANINGS: Readonly<Record<number, { readonly sentence: string; readonly fix: readonly string[] }>> = {
  3: { sentence: 'this node cannot use the provider', fix: ['Run fabric-doctor here: it says which step fails.'] },
  5: {
    sentence: 'the control connection (TCP) was not made: no server there, a dead peer, or a firewall for that port',
    fix: ['On the peer: npx fabric-pingpong serve', 'Allow TCP port 47593 between the nodes.'],
  },
  6: { sentence: 'the peer answers, but has no provider in common', fix: ['Run fabric-doctor on the peer.'] },
  7: {
    sentence: 'the peer answers over TCP, but nothing comes through over the fabric: a security group that blocks it',
    fix: ['All traffic (-1) from and to the group itself, inbound and outbound; one VPC and availability zone.'],
  },
  8: { sentence: 'the peer answered, then ended', fix: ['Look at what the peer wrote.'] },
  9: { sentence: 'data arrived damaged', fix: ['Report this to the owners of the hardware.'] },
};

const TIMEOUT = 120_000;

/** Both ends here, with shared memory off so that the device has to carry it; or one end at a peer that serves. */
export async function testTraffic(target: string, provider: string): Promise<TrafficTest> {
  const program = fileURLToPath(new URL('../cli/fabric-pingpong.js', import.meta.url));
  const args = [target, '--provider', provider, '--sizes', '64,64k', '--iters', '100', '--json'];
  const env = { ...process.env, FI_EFA_ENABLE_SHM_TRANSFER: '0' };
  return await new Promise((done) => {
    execFile(
      process.execPath,
      [program, ...args],
      { env, timeout: TIMEOUT, killSignal: 'SIGKILL' },
      (error, _out, errors) => {
        const where = target === 'local' ? 'through the device of this node' : `to ${target}`;
        const details = errors.trim();
        if (error === null) {
          done({ works: true, sentence: `${provider}: traffic goes ${where}`, fix: [], details });
          return;
        }
        const meaning = MEANINGS[Number(error.code)];
        done({
          works: false,
          sentence: `${provider} ${where}: ${meaning?.sentence ?? 'fabric-pingpong failed'}`,
          fix: meaning?.fix ?? [],
          details,
        });
      },
    );
  });
}
