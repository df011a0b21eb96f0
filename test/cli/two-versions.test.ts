/** One end on this system's libfabric, the other on 2.1; each is the server once. */
import { afterEach, describe, expect, it } from 'vitest';
import { libraryInfo } from 'node-libfabric';
import { CHECKOUT_IN_DEBIAN_13, debian13Obstacle, environmentInDebian13, inDebian13 } from '../helpers/debian-13.js';
import { Programs, TINY, type Program } from './program.js';

const programs = new Programs();
afterEach(() => programs.endAll());

type Start = (args: readonly string[]) => Program;

const here: Start = (args) => programs.start(args);
const there: Start = (args) =>
  programs.start(args, {
    wrapper: inDebian13,
    command: ['/opt/node', `${CHECKOUT_IN_DEBIAN_13}/dist/cli/fabric-pingpong.js`],
    environment: environmentInDebian13(),
  });

const SERVE = ['serve', '--port', '0'];
const JSON_OF_TINY = ['--json', ...TINY];

/** Why the two are not what this is about. */
function whyNot(): string | undefined {
  const { version } = libraryInfo();
  return version === '1.17' ? debian13Obstacle() : `libfabric here is ${version}, and not 1.17`;
}

const obstacle = whyNot();

describe.skipIf(obstacle !== undefined)(
  `fabric-pingpong between libfabric 1.17 and 2.1${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`,
  // two programs that start one after the other, twice: each takes seconds where others compute
  { timeout: 90_000 },
  () => {
    const CLIENT_1 = { startClient: here, startServer: there, versions: ['1.17', '2.1'] };
    const CLIENT_2 = { startClient: there, startServer: here, versions: ['2.1', '1.17'] };
    const XNET = 'FI_PROTO_XNET';
    const RXM = 'FI_PROTO_RXM';

    it.each([
      // the first of the client's list that the server has
      ['a client of 1.17', CLIENT_1, [], RXM, ['tcp;ofi_rxm', 'tcp;ofi_rxm']],
      ['a client of 1.17 that names net', CLIENT_1, ['-p', 'net'], XNET, ['net', 'tcp']],
      ['a client of 2.1', CLIENT_2, [], XNET, ['tcp', 'net']],
    ])('measures with %s', async (_, { startClient, startServer, versions }, args, protocol, providers) => {
      const server = startServer(SERVE);
      const client = startClient(['127.0.0.1', '--port', await server.port(), ...args, ...JSON_OF_TINY]);
      expect(await client.exitCode, client.stderr).toBe(0);
      expect(client.json).toMatchObject({
        protocol,
        client: { libfabric: versions[0], provider: providers[0] },
        server: { libfabric: versions[1], provider: providers[1] },
        measurements: [{ size: 64 }, { size: 65_536 }],
      });
      expect(await server.exitCode, server.stderr).toBe(0);
    });

    it.each([
      ['a client of 1.17', CLIENT_1, RXM],
      ['a client of 2.1', CLIENT_2, XNET],
    ])('says what to run where -p tcp is not the same, to %s', async (_, { startClient, startServer }, protocol) => {
      const server = startServer([...SERVE, '-p', 'tcp']);
      const port = await server.port();
      const client = startClient(['127.0.0.1', '--port', port, '-p', 'tcp', '--json']);
      expect([await client.exitCode, await server.exitCode]).toEqual([6, 6]);
      const { message, hint } = client.json['error'] as { message: string; hint: string };
      expect(message).toMatch(/^the ends have no provider in common: the server does not have tcp/);
      const commands = [...hint.matchAll(/`fabric-pingpong ([^`]+)`/g)].map(([, command]) =>
        command!.replaceAll('"', '').split(' '),
      );
      expect(commands).toEqual([
        ['serve', '--port', port, '-p', expect.any(String)],
        ['127.0.0.1', '--port', port, '-p', expect.any(String)],
      ]);

      // as they stand
      const [serve, measure] = commands as [string[], string[]];
      const second = startServer(serve);
      await second.port();
      const again = startClient([...measure, ...JSON_OF_TINY]);
      expect(await again.exitCode, again.stderr).toBe(0);
      expect(again.json).toMatchObject({ protocol });
      expect(await second.exitCode, second.stderr).toBe(0);
    });
  },
);
