import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import { libraryInfo } from 'node-libfabric';
import { takeInventory, type Inventory } from 'node-libfabric/inventory';
import { parseInfoArguments } from '../../lib/cli/info-arguments.js';
import { formatClassic } from '../../lib/cli/info-classic.js';
import { CHECKOUT_IN_DEBIAN_13, debian13Obstacle, startInDebian13 } from '../helpers/debian-13.js';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/fabric-info.js', import.meta.url));

const SCHEMA = fileURLToPath(new URL('../../docs/fabric-info.schema.json', import.meta.url));

interface Answer {
  stdout: string;
  stderr: string;
  status: number | null;
}

/** Not synchronous: libfabric's start is half waiting, so that two of them take no longer than one. */
function run(command: string, args: readonly string[], env: Record<string, string>): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 20_000 } as const;
    const child = execFile(command, args, options, (_error, stdout, stderr) => {
      resolve({ stdout, stderr, status: child.exitCode });
    });
  });
}

const ours = (args: readonly string[], env: Record<string, string> = {}): Promise<Answer> =>
  run(process.execPath, [PROGRAM, ...args], env);

const theirs = (args: readonly string[], env: Record<string, string> = {}): Promise<Answer> =>
  run('fi_info', args, env);

const version = /libfabric: ([\d.]+)\.\d+/.exec((await theirs(['--version'])).stdout)?.[1];
const { version: loaded } = libraryInfo();
const isSame = version !== undefined && version === loaded;
const why = isSame ? '' : ` (skipped: fi_info is of libfabric ${version ?? 'nothing'}, not of ${loaded})`;

const FILTERS = [
  [],
  ['-p', 'tcp'],
  ['-p', 'tcp;ofi_rxm'],
  ['-p', 'shm'],
  ['-c', 'FI_MSG|FI_RMA'],
  ['-c', 'fi_atomic'],
  ['-c', 'FI_COLLECTIVE'],
  ['-m', 'FI_CONTEXT'],
  ['-m', 'FI_MSG_PREFIX', '-p', 'udp;ofi_rxd'],
  ['-t', 'FI_EP_RDM'],
  ['-t', 'FI_EP_DGRAM', '-p', 'udp'],
  ['-t', 'FI_EP_MSG', '-d', 'lo'],
  ['-d', 'lo'],
  ['-f', '127.0.0.1/32'],
  ['-a', 'FI_SOCKADDR_IN6'],
  ['-a', 'FI_ADDR_STR'],
  ['-n', '127.0.0.1', '-P', '5000'],
  ['-n', '::1'],
  ['-s', '127.0.0.1'],
  ['-p', 'efa'],
  ['-c', 'FI_MSG|FI_TAGGED', '-t', 'FI_EP_RDM', '-a', 'FI_SOCKADDR_IN', '-d', 'eth0'],
  ['-t', 'FI_EP_MSG', '-n', '127.0.0.1', '-P', '7', '-f', '127.0.0.1/32'],
];

const LISTINGS = [
  ['-d', 'lo', '-t', 'FI_EP_MSG'],
  ['-l'],
  ['-l', '-p', 'tcp'],
  ['-e'],
  ['-g', 'tcp'],
  ['-v', '-p', 'tcp'],
  ['-i', 'ofi_rxm'],
];

/** Provider, fabric, domain, type and protocol of each interface, as fi_info prints them. */
const listed = (text: string): string[][] =>
  text
    .split('provider: ')
    .slice(1)
    .map((entry) => entry.trim().split(/\n.*?: /));

describe(`fabric-info --classic beside C's fi_info${why}`, () => {
  it.skipIf(!isSame)(
    'lists the same interfaces in the same order, for each filter',
    async () => {
      const answers = await Promise.all(FILTERS.map((filter) => theirs(filter)));
      for (const [index, filter] of FILTERS.entries()) {
        const expected = answers[index]!;
        const { filters } = parseInfoArguments(filter)!;
        const { interfaces } = takeInventory(filters);
        const ours = interfaces.map(({ fabricAttr, domainAttr, epAttr }) =>
          [
            fabricAttr.provName,
            fabricAttr.name,
            domainAttr.name,
            fabricAttr.provVersion,
            epAttr.type,
            epAttr.protocol,
          ].map(String),
        );
        expect([filter, ours]).toEqual([filter, listed(expected.stdout)]);
        expect(formatClassic(interfaces)).toBe(expected.stdout);
        // C's says 61 where nothing fits
        expect([filter, interfaces.length === 0]).toEqual([filter, expected.status === 61]);
      }
    },
    60_000,
  );

  it.skipIf(!isSame).each(LISTINGS.map((listing) => [listing]))('prints the same for %j', async (listing) => {
    const [expected, answer] = await Promise.all([theirs(listing), ours(['--classic', ...listing])]);
    const { stdout, stderr, status } = answer;
    expect(stderr).toBe('');
    expect(stdout).toBe(expected.stdout);
    expect(stdout).not.toBe('');
    expect(status).toBe(0);
  });

  it
    .skipIf(!isSame)
    .each([{ FI_PROVIDER: 'shm' }, { FI_PROVIDER: '^tcp' }, { FI_TCP_IFACE: 'lo' }, { FI_PROVIDER: 'shm,tcp' }])(
    'prints the same with %j',
    async (env) => {
      const variables = ['-g', 'IFACE'];
      const answers = await Promise.all([
        ours(['--classic'], env),
        theirs([], env),
        ours(['--classic', ...variables], env),
        theirs(variables, env),
      ]);
      const [listed, listedByC, told, toldByC] = answers.map(({ stdout }) => stdout);
      expect(listed).toBe(listedByC);
      expect(told).toBe(toldByC);
    },
  );
});

const obstacle = debian13Obstacle();

describe(`fabric-info beside the fi_info of libfabric 2.1${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`, () => {
  it.skipIf(obstacle !== undefined)('prints the same', async () => {
    const filters = ['', '-p tcp', '-c FI_RMA', '-t FI_EP_MSG', '-d lo', '-l', '-e'];
    const program = `/opt/node ${CHECKOUT_IN_DEBIAN_13}/dist/cli/fabric-info.js --classic`;
    // both to files, as there are NULs in what -e prints
    const script = `for filter in ${filters.map((filter) => `"${filter}"`).join(' ')}; do
      fi_info $filter >/tmp/theirs & ${program} $filter >/tmp/ours; wait
      cmp /tmp/theirs /tmp/ours && test -s /tmp/ours && echo "same: $filter"
    done`;
    await using child = startInDebian13(['sh', '-c', script]);
    const { stdout, stderr } = await child.ended(60_000);
    expect(stderr).toBe('');
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(filters.map((filter) => `same: ${filter}`.trim()));
  });
});

describe('fabric-info', () => {
  it('prints JSON as the published schema has it', async () => {
    const published = JSON.parse(readFileSync(SCHEMA, 'utf8')) as object;
    expect(JSON.parse((await ours(['--schema'])).stdout)).toEqual(published);
    const validate = new Ajv().compile(published);
    const inventory = JSON.parse((await ours(['--json', '-v'])).stdout) as Inventory;
    expect(validate(inventory), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...inventory, host: 1 })).toBe(false);
    expect(validate({ ...inventory, interfaces: [{ ...inventory.interfaces[0], caps: 'FI_MSG' }] })).toBe(false);
  });

  it.each<[string, string[], number, (document: unknown) => unknown]>([
    ['--env', ['--env', 'iface'], 0, (document) => ({ ...(document as object), problems: [{ variable: 'FI_TPC' }] })],
    ['-l', ['-l'], 0, (document) => [...(document as object[]), { name: 'tcp' }]],
    ['--diff', ['-t', 'rdm', '--diff'], 10, (document) => [...(document as object[]), { here: '1.17' }]],
  ])('prints JSON with %s as the published schema has it', async (_, args, code, damage) => {
    const folder = mkdtempSync(join(tmpdir(), 'fabric-info-'));
    try {
      const other = join(folder, 'other.json');
      const inventory = takeInventory({ endpointType: 'rdm', provider: 'tcp' });
      writeFileSync(other, JSON.stringify({ ...inventory, libfabric: { version: '9.9', path: '' } }));
      const { stdout, status } = await ours(['--json', ...args, ...(args.includes('--diff') ? [other] : [])], {
        FI_TCP_IFACE: 'lo',
        FI_TPC_IFACE: 'lo',
      });
      expect(status).toBe(code);
      const document = JSON.parse(stdout) as unknown;
      const validate = new Ajv().compile(JSON.parse(readFileSync(SCHEMA, 'utf8')) as object);
      expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
      expect(JSON.stringify(document).length).toBeGreaterThan(50);
      expect(validate(damage(document))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has the same interfaces in its JSON as in its table', async () => {
    const answers = await Promise.all([ours(['--json', '-t', 'rdm']), ours(['-t', 'rdm']), ours(['--why'])]);
    const [json, table, why] = answers.map(({ stdout }) => stdout) as [string, string, string];
    const { interfaces, libfabric } = JSON.parse(json) as Inventory;
    expect(table).toContain(`libfabric ${libfabric.version} (${libfabric.path})`);
    const rows = table.split('\n').filter((line) => line.includes(' RDM '));
    // those that look the same are one row, with their number
    const counted = rows.map((row) => Number(/×(\d+)$/.exec(row)?.[1] ?? 1));
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(interfaces.length);
    expect(new Set(rows).size).toBe(rows.length);
    expect([...new Set(rows.map((row) => row.split(/\s+/)[0]))]).toEqual([
      ...new Set(interfaces.map((info) => info.fabricAttr.provName)),
    ]);
    for (const line of why.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('says which filters exclude each provider', async () => {
    const { notListed } = JSON.parse((await ours(['--json', '-p', 'tcp', '-t', 'FI_EP_MSG'])).stdout) as Inventory;
    const reasons = Object.fromEntries(notListed.map(({ provider, reason }) => [provider, reason]));
    expect(reasons['shm']).toBe('excluded by -p tcp, and by -t FI_EP_MSG');
    expect(reasons['sockets']).toBe('excluded by -p tcp');
  });

  it('says that FI_PROVIDER hides a provider, and that a device is missing', async () => {
    const [hidden, absent] = await Promise.all([
      ours(['-p', 'udp'], { FI_PROVIDER: 'tcp' }),
      ours(['-p', 'no-such-provider']),
    ]);
    expect(hidden.stdout).toMatch(/^ *udp +hidden by FI_PROVIDER=tcp$/m);
    expect(hidden.status).toBe(3);
    expect(absent.status).toBe(3);
    expect(absent.stdout).toMatch(/no-such-provider\s*libfabric .* does not list it/);
  });

  it('shows the variables that are set first, and those without effect', async () => {
    const { stdout, status } = await ours(['--env', 'iface'], { FI_TCP_IFACE: 'lo', FI_TPC_IFACE: 'lo' });
    expect(stdout).toMatch(/^set:\nFI_TCP_IFACE=lo \(string\)/);
    expect(stdout).toContain('! FI_TPC_IFACE is unknown to the loaded libfabric');
    expect(stdout).toContain('FI_UDP_IFACE (string)');
    expect(status).toBe(0);
    const json = JSON.parse((await ours(['--env', 'iface', '--json'], { FI_TCP_IFACE: 'lo' })).stdout) as {
      variables: { name: string; value?: string }[];
    };
    expect(json.variables).toContainEqual(expect.objectContaining({ name: 'FI_TCP_IFACE', value: 'lo' }));
  });

  it('finds what two hosts do not have in common', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fabric-info-'));
    try {
      const file = join(folder, 'other.json');
      writeFileSync(file, (await ours(['--json', '-t', 'rdm', '-p', 'tcp'])).stdout);
      expect(await ours(['-t', 'rdm', '-p', 'tcp', '--diff', file])).toMatchObject({ status: 0 });
      const other = (await ours(['--json', '-t', 'rdm'], { FI_PROVIDER: '^shm', FI_OFI_RXM_TX_SIZE: '128' })).stdout;
      writeFileSync(file, other.replace(/"version": "[\d.]+"/, '"version": "9.9"'));
      const { stdout, status } = await ours(['-t', 'rdm', '--diff', file]);
      expect(status).toBe(10);
      expect(stdout).toMatch(/^libfabric\n {4}\S+: [\d.]+\n {4}\S+: 9\.9\n/);
      expect(stdout).toMatch(/shm FI_EP_RDM FI_PROTO_SHM\n {4}\S+: listed\n {4}\S+: -\n/);
      expect(stdout).toMatch(/FI_PROTO_RXM: txAttr\.size\n/);
      writeFileSync(file, '{}');
      expect(await ours(['--diff', file])).toMatchObject({ status: 2 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    [['-t', 'nonsense'], 'ep_type: "nonsense" is none of FI_EP_UNSPEC'],
    [['-c', 'FI_MSG|FI_NO'], 'caps: "FI_NO" is none of'],
    [['--json', '-i', 'lo'], '--info prints text'],
    [['--no-such'], "unknown option '--no-such'"],
    [['--diff', 'no-such-file'], '--diff no-such-file: no such file or directory'],
  ])('refuses %j', async (args, message) => {
    const { stderr, status } = await ours(args);
    expect(stderr).toContain(message);
    expect(stderr).toContain('fabric-info --help');
    expect(status).toBe(2);
  });
});
