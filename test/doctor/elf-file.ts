/** Small shared libraries that nobody runs: what the dynamic loader would read of them, and texts. */

export interface ElfOptions {
  readonly soname?: string;
  readonly needed?: readonly string[];
  readonly runpath?: string;
  readonly defines?: readonly string[];
  readonly requires?: Readonly<Record<string, readonly string[]>>;
  /** Strings that a program looks for. */
  readonly texts?: readonly string[];
}

const HEADER = 64;
const PROGRAM_HEADER = 56;

/** An ELF file for x86_64. */
export function elfFile({ soname, needed = [], runpath, defines = [], requires = {}, texts = [] }: ElfOptions): Buffer {
  const strings: Buffer[] = [Buffer.from('\0')];
  const text = (value: string): number => {
    const at = Buffer.concat(strings).length;
    strings.push(Buffer.from(`${value}\0`, 'latin1'));
    return at;
  };
  const definitions = defines.map((name, index) => {
    const entry = Buffer.alloc(28);
    entry.writeUInt16LE(1, 0);
    entry.writeUInt16LE(index + 2, 4);
    entry.writeUInt16LE(1, 6);
    entry.writeUInt32LE(20, 12);
    entry.writeUInt32LE(index === defines.length - 1 ? 0 : 28, 16);
    entry.writeUInt32LE(text(name), 20);
    return entry;
  });
  const libraries = Object.entries(requires);
  const needs = libraries.map(([library, versions], index) => {
    const entry = Buffer.alloc(16 * (1 + versions.length));
    entry.writeUInt16LE(1, 0);
    entry.writeUInt16LE(versions.length, 2);
    entry.writeUInt32LE(text(library), 4);
    entry.writeUInt32LE(16, 8);
    entry.writeUInt32LE(index === libraries.length - 1 ? 0 : entry.length, 12);
    versions.forEach((version, number) => {
      entry.writeUInt32LE(text(version), 16 * (number + 1) + 8);
      entry.writeUInt32LE(number === versions.length - 1 ? 0 : 16, 16 * (number + 1) + 12);
    });
    return entry;
  });
  const tags: [number, number][] = [
    ...needed.map((name): [number, number] => [1, text(name)]),
    ...(soname === undefined ? [] : [[14, text(soname)] as [number, number]]),
    ...(runpath === undefined ? [] : [[29, text(runpath)] as [number, number]]),
  ];
  const [table, verdef, verneed] = [Buffer.concat(strings), Buffer.concat(definitions), Buffer.concat(needs)];
  const start = HEADER + 2 * PROGRAM_HEADER;
  const at = { table: start, verdef: start + table.length, verneed: start + table.length + verdef.length };
  const dynamicAt = at.verneed + verneed.length;
  tags.push([5, at.table]);
  if (defines.length > 0) tags.push([0x6ffffffc, at.verdef], [0x6ffffffd, defines.length]);
  if (libraries.length > 0) tags.push([0x6ffffffe, at.verneed], [0x6fffffff, libraries.length]);
  tags.push([0, 0]);
  const dynamic = Buffer.alloc(16 * tags.length);
  tags.forEach(([tag, value], index) => {
    dynamic.writeBigInt64LE(BigInt(tag), 16 * index);
    dynamic.writeBigUInt64LE(BigInt(value), 16 * index + 8);
  });
  const body = Buffer.concat([
    table,
    verdef,
    verneed,
    dynamic,
    Buffer.from(texts.map((value) => `${value}\0`).join(''), 'latin1'),
  ]);
  return Buffer.concat([fileHeader(), segment(1, 0, start + body.length), segment(2, dynamicAt, dynamic.length), body]);
}

function fileHeader(): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32BE(0x7f454c46, 0);
  header.set([2, 1, 1], 4);
  header.writeUInt16LE(3, 16);
  header.writeUInt16LE(62, 18);
  header.writeBigUInt64LE(BigInt(HEADER), 32);
  header.writeUInt16LE(PROGRAM_HEADER, 54);
  header.writeUInt16LE(2, 56);
  return header;
}

function segment(type: number, offset: number, size: number): Buffer {
  const header = Buffer.alloc(PROGRAM_HEADER);
  header.writeUInt32LE(type, 0);
  for (const field of [8, 16, 24]) header.writeBigUInt64LE(BigInt(offset), field);
  for (const field of [32, 40]) header.writeBigUInt64LE(BigInt(size), field);
  return header;
}
