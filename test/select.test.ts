import { FabricError, getInfo, libraryInfo, select, type Selection, type SelectOptions } from 'node-libfabric';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startNode } from './helpers/child.js';

const providerOf = ({ info }: Selection): string => info.fabricAttr.provName!;
const providersOf = ({ candidates }: Selection): string[] => [
  ...new Set(candidates.map(({ fabricAttr }) => fabricAttr.provName!)),
];
const reasonAgainst = ({ rejected }: Pick<Selection, 'rejected'>, provider: string): string | undefined =>
  rejected.find((rejection) => rejection.provider === provider)?.reason;

function thrownBy(options: SelectOptions): FabricError {
  try {
    select(options);
  } catch (error) {
    if (error instanceof FabricError) return error;
    throw error;
  }
  throw new Error('select() threw nothing');
}

interface Told {
  readonly provider?: string;
  readonly reason?: string;
  readonly rejected: Selection['rejected'];
  readonly code?: string;
  readonly message?: string;
}

/** What select() says in a process with another environment. */
async function selectWith(environment: NodeJS.ProcessEnv, options: SelectOptions = {}): Promise<Told> {
  await using child = startNode('select-in-child', [JSON.stringify(options)], { environment });
  const { code, stdout, stderr } = await child.ended();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Told;
}

const hasEfa = getInfo({ fabricAttr: { provName: 'efa' } }).length > 0;
const is117 = libraryInfo().version === '1.17';

describe('select', () => {
  const selection = select();
  const usable = providersOf(selection);

  it("takes the first usable provider in libfabric's order, and says so", () => {
    expect(selection.info).toBe(selection.candidates[0]);
    expect(selection.reason).toContain(providerOf(selection));
    const hints = { caps: ['FI_MSG', 'FI_TAGGED'], epAttr: { type: 'FI_EP_RDM' } } as const;
    const software = (provider: string): boolean => /^(tcp|net|udp|sockets)/.test(provider);
    const listed = getInfo({ ...hints, mode: ['FI_CONTEXT', 'FI_CONTEXT2'] }).map(
      ({ fabricAttr }) => fabricAttr.provName!,
    );
    expect(usable.filter(software)).toEqual([...new Set(listed)].filter(software));
  });

  it('offers nothing but reliable datagrams with tags', () => {
    for (const { caps, epAttr } of selection.candidates) {
      expect(epAttr.type).toBe('FI_EP_RDM');
      expect(caps).toEqual(expect.arrayContaining(['FI_MSG', 'FI_TAGGED']));
    }
  });

  it('accounts for every provider that libfabric lists: chosen, or rejected for a reason', () => {
    const all = new Set(getInfo().map(({ fabricAttr }) => fabricAttr.provName!));
    const told = [providerOf(selection), ...selection.rejected.map(({ provider }) => provider)];
    expect(new Set(told).size).toBe(told.length);
    for (const provider of all) expect(told).toContain(provider);
    for (const { reason } of selection.rejected) expect(reason).toMatch(/\w{3}/);
  });

  it('says of a usable one that it comes after the one that was chosen', () => {
    for (const provider of usable.slice(1)) {
      expect(reasonAgainst(selection, provider)).toBe(`usable, but comes after ${providerOf(selection)}`);
    }
    expect(usable.length).toBeGreaterThan(1);
  });

  it('says which hint a provider does not offer', () => {
    expect(reasonAgainst(selection, 'udp')).toBe('does not offer caps FI_MSG | FI_TAGGED, nor endpoint type FI_EP_RDM');
  });

  it.skipIf(!is117)('says that tcp of libfabric 1.17 has no reliable datagrams', () => {
    expect(reasonAgainst(selection, 'tcp')).toContain('does not offer');
    expect(reasonAgainst(selection, 'tcp')).toContain('endpoint type FI_EP_RDM');
  });

  it.skipIf(hasEfa || existsSync('/sys/bus/pci/drivers/efa'))(
    'says that there is no device for efa, where there is none',
    () => {
      const reason = 'no device is bound to the efa driver (/sys/bus/pci/drivers/efa)';
      expect(reasonAgainst(selection, 'efa')).toBe(reason);
      expect(thrownBy({ require: 'efa' }).message).toContain(`provider efa is not usable: ${reason}`);
    },
  );

  it('says of a provider that nobody knows which library does not list it', () => {
    const error = thrownBy({ require: 'nosuch' });
    const { version, path } = libraryInfo();
    expect(error).toMatchObject({ code: 'FI_ENODATA', errno: 61, syscall: 'fi_getinfo' });
    expect(error.message).toMatch(/^provider nosuch is not usable: libfabric [\d.]+ does not list it/);
    expect(error.message).toContain(version);
    expect(error.message).toContain(path);
    for (const provider of usable) expect(error.hint).toContain(provider);
  });

  it('takes what is required, whatever comes before it', () => {
    const last = usable.at(-1)!;
    const required = select({ require: last });
    expect(providersOf(required)).toEqual([last]);
    expect(required.reason).toBe(`${last} was required`);
    expect(reasonAgainst(required, usable[0]!)).toBe(`${last} was required`);
  });

  it('refuses what is required but does not fit, with the reason', () => {
    expect(thrownBy({ require: 'udp' }).message).toMatch(/^provider udp is not usable: does not offer .*FI_EP_RDM/);
  });

  it('refuses what is required and excluded', () => {
    expect(thrownBy({ require: 'shm', exclude: 'shm' }).message).toMatch(/^provider shm is not usable: .*excluded/);
  });

  it('puts preferred providers first, in their order, where they are usable', () => {
    const [first, ...rest] = usable.toReversed();
    const preferred = select({ prefer: ['nosuch', first!, rest[0]!] });
    expect(providersOf(preferred).slice(0, 2)).toEqual([first, rest[0]]);
    expect(preferred.reason).toBe(`${first!} was preferred`);
    expect(reasonAgainst(preferred, rest[0]!)).toBe(`usable, but comes after ${first!}`);
    expect(providersOf(select({ prefer: first })).at(0)).toBe(first);
  });

  it('leaves out what is excluded', () => {
    const [first, second, ...others] = usable;
    const without = select({ exclude: [first!, ...others] });
    expect(providersOf(without)).toEqual([second]);
    for (const provider of [first!, ...others]) expect(reasonAgainst(without, provider)).toBe('excluded');
  });

  it.skipIf(hasEfa)('takes shared memory before software (without efa) where the peer is on the same host', () => {
    const here = select({ peer: 'same-host' });
    expect(providerOf(here)).toBe('shm');
    expect(here.reason).toBe('shm is the best between processes of one host');
    expect(reasonAgainst(here, 'sockets')).toBe('usable, but comes after shm');
  });

  it('takes shared memory last where the peer may be anywhere', () => {
    for (const peer of [undefined, 'anywhere'] as const) expect(providersOf(select({ peer })).at(-1)).toBe('shm');
  });

  it('takes hints, over its own', () => {
    const datagrams = select({ hints: { caps: 'FI_MSG', epAttr: { type: 'FI_EP_DGRAM' } } });
    expect(datagrams.candidates.every(({ epAttr }) => epAttr.type === 'FI_EP_DGRAM')).toBe(true);
    expect(providersOf(datagrams)).toContain('udp');
    expect(reasonAgainst(datagrams, 'shm')).toContain('endpoint type FI_EP_DGRAM');
  });

  it('says which of the hints a required provider does not offer', () => {
    const error = thrownBy({
      require: 'shm',
      hints: { domainAttr: { mrMode: [] }, caps: ['FI_MSG', 'FI_COLLECTIVE'] },
    });
    expect(error.message).toMatch(/^provider shm is not usable: does not offer caps FI_MSG \| FI_COLLECTIVE/);
  });

  it('throws when nothing is usable, with every reason', () => {
    const error = thrownBy({ hints: { caps: ['FI_COLLECTIVE', 'FI_XPU_TRIGGER'] } });
    expect(error).toMatchObject({ name: 'FabricError', code: 'FI_ENODATA', syscall: 'fi_getinfo' });
    for (const provider of [...usable, 'udp']) expect(error.message).toContain(`${provider}: `);
  });

  it.each<[unknown, string]>([
    [{ require: 7 }, "options.require: expected a provider's name, not 7"],
    [{ require: ['tcp'] }, "options.require: expected a provider's name, not an array"],
    [{ prefer: [7] }, "options.prefer: expected a provider's name or an array of them, not an array"],
    [{ prefer: 7 }, "options.prefer: expected a provider's name or an array of them, not 7"],
    [{ exclude: { shm: true } }, "options.exclude: expected a provider's name or an array of them, not an object"],
    [{ peer: 'somewhere' }, "options.peer: expected 'anywhere' or 'same-host', not 'somewhere'"],
    [{ hints: { caps: 'FI_MGS' } }, "hints.caps: 'FI_MGS' is none of"],
    [{ node: 7 }, 'query.node: expected a string'],
  ])('refuses options such as %o', (options, message) => {
    const call = (): unknown => select(options as SelectOptions);
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });
});

describe.concurrent('select where FI_PROVIDER', () => {
  it('names one provider uses it, and says that it hides the others', async () => {
    const told = await selectWith({ FI_PROVIDER: 'sockets' });
    expect(told.provider).toBe('sockets');
    expect(reasonAgainst(told, 'efa')).toBe('hidden by FI_PROVIDER=sockets');
  });

  it('names one provider says so of what is required', async () => {
    const told = await selectWith({ FI_PROVIDER: 'tcp' }, { require: 'shm' });
    expect(told.code).toBe('FI_ENODATA');
    expect(told.message).toContain('provider shm is not usable: hidden by FI_PROVIDER=tcp.');
  });

  it('leaves one out says so of that one alone', async () => {
    const told = await selectWith({ FI_PROVIDER: '^shm' }, { peer: 'same-host' });
    expect(told.provider).not.toBe('shm');
    const required = await selectWith({ FI_PROVIDER: '^shm' }, { require: 'shm' });
    expect(required.message).toContain('provider shm is not usable: hidden by FI_PROVIDER=^shm.');
    const hidden = told.rejected.filter(({ reason }) => reason.startsWith('hidden'));
    expect(hidden.filter(({ provider }) => provider !== 'shm')).toEqual([]);
  });

  it('lists several leaves those', async () => {
    const told = await selectWith({ FI_PROVIDER: 'shm,sockets' });
    expect(told.provider).toBe('sockets');
    expect(reasonAgainst(told, 'shm')).toBe('usable, but comes after sockets');
    expect(reasonAgainst(told, 'verbs')).toBe('hidden by FI_PROVIDER=shm,sockets');
  });

  it('leaves nothing usable throws, and does not end the process otherwise', async () => {
    const told = await selectWith({ FI_PROVIDER: 'nosuch' });
    expect(told.code).toBe('FI_ENODATA');
    expect(told.message).toContain('efa: hidden by FI_PROVIDER=nosuch');
  });
});
