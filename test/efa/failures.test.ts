/** What an EFA says of an operation is an error with a reason, never the end of the process, and never a hang. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { ENDLESS, Programs } from '../cli/program.js';
import type { Child } from '../helpers/child.js';
import { CHECKOUT_IN_DEBIAN_13, debian13Obstacle } from '../helpers/debian-13.js';
import { missingEfa, startOnHost, startOnHostInDebian13 } from '../helpers/software-efa.js';

interface Failure {
  readonly code: string;
  readonly provider?: { readonly errno: number; readonly message: string };
  readonly hint?: string;
  readonly message: string;
}

interface Case {
  readonly name: string;
  readonly door: 'promise' | 'batch';
  readonly result: Failure | string;
  readonly warnings: readonly string[];
}

type StartFixture = (host: number, name: string, args?: readonly string[]) => Child;

const startFixture: StartFixture = (host, name, args = []) =>
  startOnHost(host, [process.execPath, `test/fixtures/${name}.mjs`, ...args]);
const startFixtureInDebian13: StartFixture = (host, name, args = []) =>
  startOnHostInDebian13(host, ['/opt/node', `${CHECKOUT_IN_DEBIAN_13}/test/fixtures/${name}.mjs`, ...args]);

/** Until who waits on a peer that was killed hears of it: docs/messages.md. */
const DEADLINE = 2000;

/** By status of the device: libfabric 2's name of the error (1.17 knows FI_EIO only), and words of the hint. */
const STATUSES: Readonly<Record<number, readonly [code: string, hint: RegExp]>> = {
  2: ['FI_EINVAL', /dmesg/],
  4: ['FI_EINVAL', /address handle \(AH\) of the peer/],
  6: ['FI_EMSGSIZE', /epAttr\.maxMsgSize/],
  7: ['FI_EINVAL', /rkey.*MemoryRegion was closed/],
  8: ['FI_ECONNABORTED', /reset the connection/],
  9: ['FI_ENOTCONN', /queue pair\) does not exist any more.*another address/],
  11: ['FI_EMSGSIZE', /too short/],
  13: ['FI_ECONNABORTED', /killed.*security group/],
  14: ['FI_ENOTCONN', /insert the address of this end/],
  15: ['FI_EHOSTUNREACH', /security groups of both instances.*one availability zone/],
};

/** What is said of the status in the case's name. */
function expectStatus({ name, result }: Case, status: number, isOld: boolean): void {
  const [code, hint] = STATUSES[status]!;
  expect(result, name).toMatchObject({
    code: isOld ? 'FI_EIO' : code,
    provider: { errno: status, message: expect.stringMatching(/\w/) as unknown },
    hint: expect.stringMatching(hint) as unknown,
  });
  const { message, provider } = result as Failure;
  expect(message, name).toContain(`the provider says: ${provider!.message} (${status}). `);
}

function describeFailures(start: StartFixture, isOld: boolean, host: number): void {
  it('are FabricErrors with what the device said, and what to try, through both doors', async () => {
    await using child = start(host, 'efa-failures');
    const { code, signal, stdout } = await child.ended(110_000);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    const cases = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Case);
    expect(cases.length).toBe(isOld ? 27 : 33);
    for (const each of cases) {
      const status = Number(/ (\d+)$/.exec(each.name)?.[1] ?? (each.name.includes('region') ? 7 : 9));
      if (each.name !== 'first answer 13') expectStatus(each, status, isOld);
    }
    // The packet that fails is no operation's: libfabric 2.1 would end a process without event queue.
    const { result, warnings } = cases.at(-1)!;
    expect(result).toBe('completed');
    expect(warnings).toEqual([expect.stringMatching(/Endpoint: .* \(13\)\. The peer has answered before/)]);
  }, 120_000);

  it('include that of a peer that was killed, at the next send', async () => {
    await using victim = start(host + 1, 'efa-survivor', ['victim']);
    await using survivor = start(host + 2, 'efa-survivor');
    survivor.write(await victim.line());
    victim.write(await survivor.line());
    expect(await survivor.line()).toBe('flowing');
    victim.process.kill('SIGKILL');
    await once(victim.process, 'exit');
    const killedAt = performance.now();
    const { provider, hint } = JSON.parse(await survivor.line()) as Failure;
    expect(performance.now() - killedAt).toBeLessThan(DEADLINE);
    expect(provider?.errno).toBe(9);
    expect(hint).toMatch(/killed/);
  });
}

const title = missingEfa === undefined ? '' : ` (skipped: ${missingEfa})`;
describe.skipIf(missingEfa !== undefined)(`failures of an EFA under libfabric 1.17${title}`, () => {
  describeFailures(startFixture, true, 40);

  const programs = new Programs();
  afterEach(() => programs.endAll());
  const wrapper = (host: number): string[] => [
    fileURLToPath(new URL('../softefa/run.sh', import.meta.url)),
    String(host),
  ];

  it.each(['the server', 'the client'])('end fabric-pingpong within two seconds when %s is killed', async (who) => {
    const server = programs.start(['serve', '--bind', '127.0.0.1', '--port', '0'], { wrapper: wrapper(43) });
    const client = programs.start(['127.0.0.1', '--port', await server.port(), ...ENDLESS], {
      debug: true,
      wrapper: wrapper(44),
    });
    await client.measures();
    const [victim, survivor] = who === 'the server' ? [server, client] : [client, server];
    victim.child.kill('SIGKILL');
    const killedAt = performance.now();
    expect(await survivor.exitCode).toBe(8);
    expect(performance.now() - killedAt).toBeLessThan(DEADLINE);
    expect(survivor.stderr).toMatch(/peer lost in latency/);
  });
});

const obstacle = missingEfa ?? debian13Obstacle();
const obstacleTitle = obstacle === undefined ? '' : ` (skipped: ${obstacle})`;
describe.skipIf(obstacle !== undefined)(`failures of an EFA under libfabric 2.1${obstacleTitle}`, () => {
  describeFailures(startFixtureInDebian13, false, 50);
});
