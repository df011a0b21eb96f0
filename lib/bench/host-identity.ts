import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The namespaces that decide whether two processes can share memory and reach each other's memory. */
const NAMESPACES = ['pid', 'mnt', 'ipc', 'net'] as const;

/** What tells whether two processes run on one host, as shared memory needs it. */
export interface HostIdentity {
  /** The host's name, for people. */
  name: string;
  /** Differs between hosts and between boots; null where the kernel does not say. */
  bootId: string | null;
  /** The kernel's name of each namespace of this process, such as `pid:[4026531836]`. */
  namespaces: Record<(typeof NAMESPACES)[number], string | null>;
  /** Shared memory files are private to a user; null where there are no user numbers. */
  userId: number | null;
  /** The processors that this process may run on, such as `0-3`. */
  processors: string | null;
}

/** Who this process is among hosts, containers and users. */
export function readHostIdentity(): HostIdentity {
  return {
    name: hostname(),
    bootId: orNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespaces: Object.fromEntries(
      NAMESPACES.map((name) => [name, orNull(() => readlinkSync(`/proc/self/ns/${name}`))]),
    ) as HostIdentity['namespaces'],
    userId: process.getuid?.() ?? null,
    processors: orNull(readProcessors),
  };
}

/** Why two processes cannot share memory, or undefined when they can. */
export function whyNotSameHost(one: HostIdentity, other: HostIdentity): string | undefined {
  if (one.bootId === null || other.bootId === null) return 'a host does not say which one it is';
  if (one.bootId !== other.bootId) return `${one.name} and ${other.name} are two hosts`;
  const apart = NAMESPACES.filter(
    (name) => one.namespaces[name] === null || one.namespaces[name] !== other.namespaces[name],
  );
  if (apart.length > 0) {
    return `the ends are in different containers or namespaces (${apart.join(', ')})`;
  }
  if (one.userId !== other.userId) return 'the ends run as different users';
  return undefined;
}

function readProcessors(): string | null {
  const status = readFileSync('/proc/self/status', 'utf8');
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? null;
}

function orNull(read: () => string | null): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
