import { BenchError } from './errors.js';

/** Prime, so that a message shifted by any power of two differs. */
const PERIOD = 251;

/** One end of a session. */
export type Role = 'client' | 'server';

const tiles: Record<Role, Buffer> = { client: makeTile(1), server: makeTile(101) };

/** Fills what `sender` is going to send. */
export function fillPattern(buffer: Buffer, sender: Role): void {
  const tile = tiles[sender];
  for (let offset = 0; offset < buffer.length; offset += tile.length) {
    tile.copy(buffer, offset, 0, Math.min(tile.length, buffer.length - offset));
  }
}

/** Whether the buffer holds what `sender` filled in. */
export function holdsPattern(buffer: Buffer, sender: Role): boolean {
  return firstWrongByte(buffer, sender) === undefined;
}

/** Throws a BenchError `INTEGRITY` unless the buffer holds what `sender` filled in. */
export function checkPattern(buffer: Buffer, sender: Role, where: string): void {
  const index = firstWrongByte(buffer, sender);
  if (index === undefined) return;
  const tile = tiles[sender];
  throw new BenchError(
    'INTEGRITY',
    `wrong data in ${where}: byte ${index} of ${buffer.length} is ` +
      `${buffer[index]}, the ${sender} sent ${tile[index % tile.length]}`,
  );
}

function firstWrongByte(buffer: Buffer, sender: Role): number | undefined {
  const tile = tiles[sender];
  for (let offset = 0; offset < buffer.length; offset += tile.length) {
    const length = Math.min(tile.length, buffer.length - offset);
    if (buffer.compare(tile, 0, length, offset, offset + length) === 0) continue;
    let index = 0;
    while (buffer[offset + index] === tile[index]) index++;
    return offset + index;
  }
  return undefined;
}

function makeTile(seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: PERIOD * 256 }, (_, index) => (index % PERIOD) + seed));
}
