import * as surface from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { startPeer } from './helpers/child.js';

type Table = Readonly<Record<string, bigint | number>>;

/** The tables of lib/constants.ts: what is exported in capitals. */
const TABLES = Object.entries(surface).filter(
  ([name, value]) => /^[A-Z_]+$/.test(name) && typeof value === 'object',
) as unknown as [string, Table][];

/** libfabric 2.x added these, so that 1.17's headers have nothing to compare them with. */
const ONLY_IN_2 = [
  'FI_ADDR_UCX',
  'FI_ENOMR',
  'FI_OPT_CUDA_API_PERMITTED',
  'FI_OPT_INJECT_ATOMIC_SIZE',
  'FI_OPT_INJECT_MSG_SIZE',
  'FI_OPT_INJECT_RMA_SIZE',
  'FI_OPT_INJECT_TAGGED_SIZE',
  'FI_OPT_MAX_ATOMIC_SIZE',
  'FI_OPT_MAX_MSG_SIZE',
  'FI_OPT_MAX_RMA_SIZE',
  'FI_OPT_MAX_TAGGED_SIZE',
  'FI_OPT_SHARED_MEMORY_PERMITTED',
  'FI_PROGRESS_CONTROL_UNIFIED',
  'FI_PROTO_COLL',
  'FI_PROTO_CXI_RNR',
  'FI_PROTO_LNX',
  'FI_PROTO_LPP',
  'FI_PROTO_SM2',
  'FI_PROTO_UCX',
];
/** Later versions dropped, renamed or deprecated these, or took their values away. */
const ONLY_UP_TO_1_17 = [
  'FI_BUFFERED_RECV',
  'FI_EP_SOCK_DGRAM',
  'FI_EP_SOCK_STREAM',
  'FI_LOCAL_MR',
  'FI_MR_BASIC',
  'FI_MR_SCALABLE',
  'FI_NOTIFY_FLAGS_ONLY',
  'FI_ORDER_DATA',
  'FI_PRIORITY',
  'FI_RESTRICTED_COMP',
  'FI_VARIABLE_MSG',
  'FI_XPU_TRIGGER',
];

/** What test/peers/constants.c says of the headers that it was compiled with. */
async function headerValues(): Promise<{ version: number; values: ReadonlyMap<string, bigint> }> {
  await using child = startPeer('constants');
  const { code, stdout } = await child.ended();
  expect(code).toBe(0);
  const [version, ...lines] = stdout.trim().split('\n');
  const values = lines.map((line) => line.split(' ') as [string, string]);
  const [, major, minor] = /^headers (\d+)\.(\d+)$/.exec(version!)!;
  return {
    version: Number(major) * 1000 + Number(minor),
    values: new Map(values.map(([name, value]) => [name, BigInt(value)])),
  };
}

describe('constants', () => {
  it('are in twenty-six tables', () => {
    expect(TABLES.map(([name]) => name)).toHaveLength(26);
  });

  it.each(TABLES)("%s has the headers' values", async (_, table) => {
    const { values } = await headerValues();
    const named = Object.entries(table).filter(([name]) => values.has(name));
    expect(named.length).toBeGreaterThan(1);
    expect(named.map(([name, value]) => [name, BigInt(value)])).toEqual(
      named.map(([name]) => [name, values.get(name)]),
    );
  });

  it('are compared with the headers, but for those of later and earlier ones', async () => {
    const { version, values } = await headerValues();
    const names = TABLES.flatMap(([, table]) => Object.keys(table));
    const notCompared = names.filter((name) => !values.has(name)).sort();
    const expected = [...(version < 2000 ? ONLY_IN_2 : []), ...(version > 1017 ? ONLY_UP_TO_1_17 : [])];
    expect(notCompared).toEqual(expected.sort());
  });

  it('give a name that two tables share one value', () => {
    const seen = new Map<string, bigint>();
    for (const [table, values] of TABLES) {
      for (const [name, value] of Object.entries(values)) {
        expect(seen.get(name) ?? BigInt(value), `${table}.${name}`).toBe(BigInt(value));
        seen.set(name, BigInt(value));
      }
    }
    expect(seen.size).toBeGreaterThan(200);
  });

  it('give every value of a table one name', () => {
    for (const [table, values] of TABLES) {
      expect(new Set(Object.values(values)).size, table).toBe(Object.keys(values).length);
    }
  });
});
