/** What is mounted where it matters: shared memory, and software of the host within a container. */
import type { Host } from '../host.js';

export const MOUNTS = '/proc/self/mounts';
const SHARED_MEMORY = '/dev/shm';
const SOFTWARE = /^\/opt\/(amazon|aws-ofi-nccl)|\/lib(fabric|efa|ibverbs|nccl-net)[^/]*$|^\/etc\/libibverbs\.d/;
const UNITS: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** The mounts that this tool has a use for. */
export interface Mounts {
  /** Bytes of /dev/shm; undefined where none is told. */
  readonly sharedMemory: number | undefined;
  /** Folders and files of EFA's software that are mounted into this tree. */
  readonly software: readonly string[];
}

interface Mount {
  readonly target: string;
  readonly size: string | undefined;
}

const parse = (text: string): Mount[] =>
  text.split('\n').flatMap((line) => {
    const [, target, , options] = line.split(' ');
    return target === undefined ? [] : [{ target, size: /(?:^|,)(size=\d+[kmg]?)/i.exec(options ?? '')?.[1] }];
  });

const isOfUse = ({ target }: Mount): boolean => target === SHARED_MEMORY || SOFTWARE.test(target);

export function readMounts({ files }: Host): Mounts {
  const mounts = parse(files.text(MOUNTS) ?? '');
  const size = /(\d+)([kmg]?)$/i.exec(mounts.find(({ target }) => target === SHARED_MEMORY)?.size ?? '');
  return {
    sharedMemory: size === null ? undefined : Number(size[1]) * (UNITS[size[2]!.toLowerCase()] ?? 1),
    software: mounts.map(({ target }) => target).filter((target) => SOFTWARE.test(target)),
  };
}

/** The same file with nothing but what is read of it: sources and options of mounts can be secret. */
export const withoutSecrets = (text: string): string =>
  parse(text)
    .filter(isOfUse)
    .map(({ target, size }) => `none ${target} none ${size ?? 'rw'} 0 0\n`)
    .join('');
