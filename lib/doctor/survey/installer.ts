/** What the EFA installer says that it has installed. */
import type { Host } from '../host.js';

/** A package of the record. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

/** Parts of an installation. */
export const ROLES = {
  engine: /^libfabric(1)?-aws$|^libfabric1?$/,
  plugin: /^libnccl-ofi$/,
  mpi: /^openmpi(40|50)?(-aws)?$/,
  rdma: /^rdma-core$/,
  driver: /^efa$/,
  peermem: /^efa-nv-peermem$/,
  utilities: /^(libfabric(-aws)?-bin|ibverbs-utils|libibverbs-utils)$/,
  configuration: /^efa-config$/,
  profile: /^efa-profile$/,
} as const;

/** Name of a part. */
export type Role = keyof typeof ROLES;

export const ROLE_NAMES = Object.keys(ROLES) as [Role, ...Role[]];

/** The record, parsed. */
export interface Installer {
  readonly file: string;
  readonly version: string | undefined;
  readonly packages: readonly InstalledPackage[];
  readonly roles: Readonly<Partial<Record<Role, readonly InstalledPackage[]>>>;
  /** Driver and rdma-core alone: `--minimal`. */
  readonly isMinimal: boolean;
}

/** Where the record is, newest place first. */
export const RECORDS = ['/opt/amazon/efa_installed_packages', '/opt/amazon/efa/installed_packages'];

export function readInstaller({ files }: Host): Installer | undefined {
  const file = RECORDS.find((path) => files.exists(path));
  const text = file === undefined ? undefined : files.text(file);
  return file === undefined || text === undefined ? undefined : parseInstaller(file, text);
}

/** Reads a record of deb or rpm packages. */
export function parseInstaller(file: string, text: string): Installer {
  const packages = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(/\s+/))
    .map(parsePackage)
    .filter((found) => found !== undefined);
  const roles: Partial<Record<Role, InstalledPackage[]>> = {};
  for (const [role, pattern] of Object.entries(ROLES) as [Role, RegExp][]) {
    const found = packages.filter(({ name }) => pattern.test(name));
    if (found.length > 0) roles[role] = found;
  }
  return {
    file,
    version: /^#\s*EFA installer version:\s*(\S+)/m.exec(text)?.[1],
    packages,
    roles,
    isMinimal: roles.rdma !== undefined && roles.engine === undefined,
  };
}

function parsePackage(token: string): InstalledPackage | undefined {
  const match =
    /^(.+?)_([^_]+)_(?:amd64|arm64|all)$/.exec(token) ?? /^(.+)-([^-]+-[^-]+)\.(?:x86_64|aarch64|noarch)$/.exec(token);
  return match === null ? undefined : { name: match[1]!, version: match[2]! };
}
