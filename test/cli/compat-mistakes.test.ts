/** Mistakes that no fi_pingpong makes: test/peers/classic_pingpong.c does. */
import { describe, expect, it } from 'vitest';
import { getInfo } from 'node-libfabric';
import { startPeer, type Child } from '../helpers/child.js';
import { compatSession, type Outcome } from './compat-session.js';

const PROVIDERS = ['tcp;ofi_rxm', 'net', 'shm', 'sockets'];
const isHere = (provider: string): boolean =>
  getInfo({ epAttr: { type: 'FI_EP_RDM' }, fabricAttr: { provName: provider } }).length > 0;

/** How the peer is. */
interface Manners {
  /** Of its messages; 0 for none. */
  tag: number;
  /** Bytes of its last message. */
  fin: number;
  /** Milliseconds between the end of its control connection and its last message. */
  late?: number;
}

const start = (provider: string, { tag, fin, late = 0 }: Manners, port: number, host: string[] = []): Child =>
  startPeer('classic_pingpong', [provider, String(tag), String(fin), String(late), String(port), ...host]);

function argumentsFor(provider: string, { tag }: Manners): string[] {
  const domain = provider === 'shm' ? [] : ['-d', 'lo'];
  return ['-p', provider, '-e', 'rdm', ...domain, '-S', '64', '--timeout', '2', ...(tag === 0 ? [] : ['-m', 'tagged'])];
}

async function asClient(provider: string, manners: Manners): Promise<[Outcome, Child]> {
  const peer = start(provider, manners, 0);
  const port = Number(await peer.line());
  return [await compatSession('fi_pingpong', argumentsFor(provider, manners), { host: '127.0.0.1', port }), peer];
}

async function asServer(provider: string, manners: Manners): Promise<[Outcome, Child]> {
  let peer: Child | undefined;
  const outcome = await compatSession('fi_pingpong', argumentsFor(provider, manners), {
    port: 0,
    onListening: ({ port }) => {
      peer = start(provider, manners, port, ['127.0.0.1']);
    },
  });
  if (peer === undefined) throw new Error(`it did not listen: ${outcome.said}`);
  return [outcome, peer];
}

const TAG = 1234;

describe.each([
  ['our client', asClient],
  ['our server', asServer],
] as const)('--compat fi_pingpong, %s', (_, run) => {
  describe.each(PROVIDERS)('over %s', (provider) => {
    const missing = isHere(provider) ? '' : ` (skipped: this libfabric does not have ${provider})`;

    it.skipIf(missing !== '').each<[string, Manners]>([
      // which C's takes too
      ['messages and an empty fin', { tag: 0, fin: 0 }],
      ['a fin that was still under way when the control connection ended', { tag: 0, fin: 4, late: 200 }],
      ['tagged messages and a fin as long as its receive', { tag: TAG, fin: 64 }],
    ])(`takes %s${missing}`, async (_name, manners) => {
      const [outcome, peer] = await run(provider, manners);
      await using running = peer;
      expect(outcome).toMatchObject({ code: 0, said: '', result: { measurements: [{ size: 64, iterations: 10 }] } });
      expect(await running.ended()).toMatchObject({ code: 0, stderr: '' });
    });

    it.skipIf(missing !== '').each<[string, Manners]>([
      ['fin', { tag: 0, fin: 65 }],
      ['tagged fin', { tag: TAG, fin: 65 }],
    ])(`explains a %s that is longer than 64 bytes${missing}`, async (_name, manners) => {
      const [outcome, peer] = await run(provider, manners);
      await using running = peer;
      expect(outcome.said).toMatch(
        /longer than its receive of 64 bytes in (count \(64 bytes\)|fin), after 10 messages: -S differs, or the other end is no fi_pingpong run: fi_pingpong/,
      );
      expect(outcome).toMatchObject({ code: 6, result: { measurements: expect.any(Array) as unknown } });
      running.process.kill();
    });

    it.skipIf(missing !== '')(`explains a wrong tag${missing}`, async () => {
      const startedAt = performance.now();
      const [outcome, peer] = await run(provider, { tag: TAG + 1, fin: 4 });
      await using running = peer;
      // a client has sent its first message, which came; a server waits for one
      const sent = run === asClient ? 1 : 0;
      expect(outcome.said).toMatch(
        new RegExp(
          `^stalled in data: size 64, iteration 0; sent ${sent}, received 0; likely .*-m differ run: fi_pingpong .*-m tagged`,
        ),
      );
      expect(outcome.code).toBe(7);
      // --timeout 2, and what starting the peer takes
      expect(performance.now() - startedAt).toBeLessThan(10_000);
      running.process.kill();
    });
  });
});
