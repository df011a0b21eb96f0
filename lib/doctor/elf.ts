/** What the dynamic loader reads of a shared library: 64-bit little-endian ELF, by its program headers. */

/** A library's needs and what it provides. */
export interface ElfLibrary {
  readonly soname: string | undefined;
  readonly needed: readonly string[];
  readonly runpath: readonly string[];
  readonly rpath: readonly string[];
  /** Symbol versions that it defines, e.g. `EFA_1.2`. */
  readonly defines: readonly string[];
  /** Symbol versions that it wants, library by library. */
  readonly requires: readonly { readonly library: string; readonly versions: readonly string[] }[];
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const TAGS = { NEEDED: 1, STRTAB: 5, SONAME: 14, RPATH: 15, RUNPATH: 29 };
const DT_VERDEF = 0x6ffffffc;
const DT_VERDEFNUM = 0x6ffffffd;
const DT_VERNEED = 0x6ffffffe;
const DT_VERNEEDNUM = 0x6fffffff;
/** Far more than any library has: a broken chain must not be followed for ever, nor name a whole file. */
const CHAIN_LIMIT = 4096;
const STRING_LIMIT = 4096;

/** Reads a library. Undefined where the bytes are no such file, or are cut short. */
export function readElf(bytes: Buffer): ElfLibrary | undefined {
  try {
    return parse(bytes);
  } catch (error) {
    // an offset that leads out of the file
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

function parse(bytes: Buffer): ElfLibrary | undefined {
  const isElf = bytes.length >= 64 && bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2 && bytes[5] === 1;
  if (!isElf) return undefined;
  const { loads, dynamic } = readSegments(bytes);
  if (dynamic === undefined) return undefined;

  const offsetOf = (address: number): number => {
    const load = loads.find((segment) => address >= segment.address && address < segment.address + segment.size);
    if (load === undefined) throw new RangeError('an address outside of every segment');
    return address - load.address + load.offset;
  };
  const entries = readDynamic(bytes, dynamic);
  const values = (tag: number): number[] => entries.filter((entry) => entry.tag === tag).map(({ value }) => value);
  const [stringsAddress] = values(TAGS.STRTAB);
  if (stringsAddress === undefined) return undefined;
  const strings = offsetOf(stringsAddress);
  const stringAt = (index: number): string => {
    const start = strings + index;
    const length = bytes.subarray(start, start + STRING_LIMIT).indexOf(0);
    if (length < 0) throw new RangeError('a string without an end');
    return bytes.toString('latin1', start, start + length);
  };
  const paths = (tag: number): string[] => values(tag).flatMap((index) => stringAt(index).split(':').filter(Boolean));
  const soname = values(TAGS.SONAME)[0];
  const at = (tag: number): number | undefined => {
    const [address] = values(tag);
    return address === undefined ? undefined : offsetOf(address);
  };
  return {
    soname: soname === undefined ? undefined : stringAt(soname),
    needed: values(TAGS.NEEDED).map(stringAt),
    runpath: paths(TAGS.RUNPATH),
    rpath: paths(TAGS.RPATH),
    defines: readDefinitions(bytes, at(DT_VERDEF), values(DT_VERDEFNUM)[0], stringAt),
    requires: readNeeds(bytes, at(DT_VERNEED), values(DT_VERNEEDNUM)[0], stringAt),
  };
}

function readSegments(bytes: Buffer): { loads: Segment[]; dynamic: Segment | undefined } {
  const headers = Number(bytes.readBigUInt64LE(32));
  const size = bytes.readUInt16LE(54);
  const count = bytes.readUInt16LE(56);
  const loads: Segment[] = [];
  let dynamic: Segment | undefined;
  for (let index = 0; index < count; index++) {
    const at = headers + index * size;
    const type = bytes.readUInt32LE(at);
    const segment = {
      offset: Number(bytes.readBigUInt64LE(at + 8)),
      address: Number(bytes.readBigUInt64LE(at + 16)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
    };
    if (type === PT_LOAD) loads.push(segment);
    if (type === PT_DYNAMIC) dynamic = segment;
  }
  return { loads, dynamic };
}

function readDynamic(bytes: Buffer, { offset, size }: Segment): { tag: number; value: number }[] {
  const entries: { tag: number; value: number }[] = [];
  for (let at = offset; at + 16 <= offset + size && entries.length < CHAIN_LIMIT; at += 16) {
    const tag = Number(bytes.readBigInt64LE(at));
    if (tag === 0) break;
    entries.push({ tag, value: Number(bytes.readBigUInt64LE(at + 8)) });
  }
  return entries;
}

function readDefinitions(
  bytes: Buffer,
  start: number | undefined,
  count: number | undefined,
  stringAt: (index: number) => string,
): string[] {
  const names: string[] = [];
  let at = start;
  for (let index = 0; at !== undefined && index < Math.min(count ?? 0, CHAIN_LIMIT); index++) {
    const isBase = (bytes.readUInt16LE(at + 2) & 1) === 1;
    const name = bytes.readUInt32LE(at + bytes.readUInt32LE(at + 12));
    if (!isBase) names.push(stringAt(name));
    const next = bytes.readUInt32LE(at + 16);
    at = next === 0 ? undefined : at + next;
  }
  return names;
}

function readNeeds(
  bytes: Buffer,
  start: number | undefined,
  count: number | undefined,
  stringAt: (index: number) => string,
): { library: string; versions: string[] }[] {
  const needs: { library: string; versions: string[] }[] = [];
  let at = start;
  let left = CHAIN_LIMIT;
  for (let index = 0; at !== undefined && index < (count ?? 0) && left > 0; index++) {
    const versions: string[] = [];
    let auxiliary = at + bytes.readUInt32LE(at + 8);
    for (let more = bytes.readUInt16LE(at + 2); more > 0 && left > 0; more--, left--) {
      versions.push(stringAt(bytes.readUInt32LE(auxiliary + 8)));
      auxiliary += bytes.readUInt32LE(auxiliary + 12);
    }
    needs.push({ library: stringAt(bytes.readUInt32LE(at + 4)), versions });
    left--;
    const next = bytes.readUInt32LE(at + 12);
    at = next === 0 ? undefined : at + next;
  }
  return needs;
}
