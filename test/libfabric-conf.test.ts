/** libfabric.conf, as libfabric 2.1 of Debian 13 reads it: its fi_info is asked. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configurationPath, mergeConfiguration } from '../lib/libfabric-conf.js';
import { allowsProvider } from '../lib/provider-filter.js';
import { CHECKOUT_IN_DEBIAN_13, debian13Obstacle, startInDebian13 } from './helpers/debian-13.js';

const merged = (text: string, environment: Record<string, string> = {}): [values: object, fromFile: string[]] => {
  const { values, fromFile } = mergeConfiguration(environment, text);
  return [values, [...fromFile]];
};

describe('libfabric.conf', () => {
  it('is where the library says', () => {
    const library = (text: string): Buffer => Buffer.from(`\x7fELF\0before\0${text}after`, 'latin1');
    expect(configurationPath(library('/opt/amazon/efa/etc/libfabric.conf\0'))).toBe(
      '/opt/amazon/efa/etc/libfabric.conf',
    );
    expect(configurationPath(library('the system config (libfabric.conf) is\0'))).toBeUndefined();
    expect(configurationPath(library('%s/libfabric.conf\0'))).toBeUndefined();
    expect(configurationPath(library('/etc/libfabric.conf'))).toBeUndefined();
    expect(configurationPath(Buffer.alloc(0))).toBeUndefined();
  });

  it('sets what the environment does not', () => {
    expect(merged('FI_PROVIDER=tcp\nFI_TCP_IFACE=eth0', { FI_PROVIDER: 'efa' })).toEqual([
      { FI_PROVIDER: 'efa', FI_TCP_IFACE: 'eth0' },
      ['FI_TCP_IFACE'],
    ]);
  });

  it.each([
    ['the environment', { FI_PREFER_SYSCONFIG: 'Yes' }, ''],
    ['the file itself', {}, 'FI_PREFER_SYSCONFIG=1\n'],
  ])('comes first where %s wants that', (_who, wish, line) => {
    const [values] = merged(`${line}FI_PROVIDER=tcp\n`, { FI_PROVIDER: 'efa', ...wish });
    expect(values).toMatchObject({ FI_PROVIDER: 'tcp' });
  });

  it('is taken by the letter, and the first line of a name counts', () => {
    const text =
      '#FI_PROVIDER=shm\n FI_PROVIDER=udp\nFI_PROVIDER= tcp \nFI_PROVIDER=efa\nPATH=/bin\nFI_LOG_LEVEL\nFI_A=b=c';
    expect(merged(text)).toEqual([{ FI_PROVIDER: ' tcp ', FI_A: 'b=c' }, ['FI_PROVIDER', 'FI_A']]);
  });
});

const obstacle = debian13Obstacle();
const why = obstacle === undefined ? '' : ` (skipped: ${obstacle})`;

describe.skipIf(obstacle !== undefined)(`libfabric.conf of libfabric 2.1${why}`, () => {
  // A private /etc, in which a test may write.
  const PREPARE = 'cp -a /etc /tmp/etc && mount --bind /tmp/etc /etc && ';

  it('means what it means here', { timeout: 60_000 }, async () => {
    const provider = fc.constantFrom('tcp', '^tcp', 'shm,udp', 'TCP', ' tcp', '', 'sockets');
    const name = fc.constantFrom('FI_PROVIDER', 'FI_PROVIDER', '#FI_PROVIDER', 'FI_PROVIDER ', 'FI_PREFER_SYSCONFIG');
    const line = fc
      .tuple(name, provider, fc.constantFrom('0', '1', 'on', 'no'))
      .map(([variable, list, choice]) => `${variable}=${variable.endsWith('CONFIG') ? choice : list}`);
    const environment = fc.record(
      { FI_PROVIDER: provider, FI_PREFER_SYSCONFIG: fc.constantFrom('0', 'true') },
      { requiredKeys: [] },
    );
    const cases = fc.sample(fc.tuple(fc.array(line, { maxLength: 3 }), environment), 40);
    const ask = cases.map(([lines, variables]) => {
      const set = Object.entries(variables).map(([key, value]) => `${key}='${value}'`);
      const file = lines.map((text) => `'${text}\n'`).join('');
      return `printf %s ${file || "''"} >/etc/libfabric.conf; echo =; env ${set.join(' ')} fi_info 2>/dev/null | list`;
    });
    const list = "list() { sed -n 's/^provider: //p' | sort -u; }\n";
    const everything = `rm -f /etc/libfabric.conf; echo =; fi_info | list`;
    await using child = startInDebian13(['sh', '-c', `${PREPARE}${list}${[...ask, everything].join('\n')}`]);
    const { stdout } = await child.ended(50_000);
    const [, ...answers] = stdout.split(/^=\n/m).map((text) => text.split('\n').filter(Boolean));
    const all = answers.at(-1)!;
    expect(all).toContain('tcp;ofi_rxm');
    expect(answers).toHaveLength(cases.length + 1);
    for (const [index, [lines, variables]] of cases.entries()) {
      const text = lines.map((one) => `${one}\n`).join('');
      const { FI_PROVIDER } = mergeConfiguration(variables, text).values;
      const expected = all.filter((one) => allowsProvider(FI_PROVIDER, one));
      expect(answers[index], JSON.stringify(cases[index])).toEqual(expected);
    }
  });

  it('is given as the reason, by each of the tools', { timeout: 60_000 }, async () => {
    const cli = `/opt/node ${CHECKOUT_IN_DEBIAN_13}/dist/cli`;
    const script = `${PREPARE}printf 'FI_PROVIDER=shm\n' >/etc/libfabric.conf
      ${cli}/fabric-info.js --why; ${cli}/fabric-info.js -e FI_PROVIDER; ${cli}/fabric-info.js --classic -e FI_PROVIDER
      ${cli}/fabric-pingpong.js local --require tcp; echo "exit $?"; ${cli}/fabric-doctor.js --verbose`;
    await using child = startInDebian13(['sh', '-c', script]);
    const { stdout, stderr } = await child.ended(50_000);
    const said = `${stdout}${stderr}`.replace(/\s+/g, ' ');
    for (const provider of ['efa', 'tcp', 'cxi']) {
      expect(said).toContain(` ${provider} hidden by FI_PROVIDER=shm in /etc/libfabric.conf `);
    }
    expect(said).toContain('FI_PROVIDER=shm (string, in /etc/libfabric.conf)');
    expect(said).toContain(
      'tcp is required: provider tcp cannot be used on this host: hidden by FI_PROVIDER=shm in /etc/',
    );
    expect(said).toContain(' exit 3 ');
    expect(said).toContain('FI_PROVIDER=shm excludes efa (FI_PROVIDER is set in /etc/libfabric.conf)');
    expect(said).toContain('Take FI_PROVIDER out of /etc/libfabric.conf.');
  });
});
