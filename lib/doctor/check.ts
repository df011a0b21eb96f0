/** What a check is, and what it finds. */
import type { Survey } from './survey/survey.js';

/** From the machine up to the programs, and what surrounds them. */
export const LAYERS = {
  host: 'Host',
  pci: 'Network cards',
  module: 'Kernel modules',
  rdma: 'RDMA core',
  device: 'Device nodes',
  verbs: 'rdma-core',
  libfabric: 'libfabric',
  installer: 'EFA installer',
  environment: 'Environment',
  limits: 'Limits',
  gpu: 'GPUs',
  nccl: 'NCCL plugin',
  mpi: 'Open MPI',
  network: 'Network',
  counters: 'Counters',
  log: 'Log',
} as const;

/** A part of the stack. */
export type Layer = keyof typeof LAYERS;

export type Status = 'pass' | 'info' | 'warn' | 'fail' | 'skip';

/** Where something was seen, and what it was. */
export interface Evidence {
  readonly source: string;
  readonly value: string;
}

/** Lines to do, on a host and in a container. */
export interface Fix {
  readonly host: readonly string[];
  /** The same as on a host where absent. */
  readonly container?: readonly string[];
}

/** What a check makes of its evidence. */
export interface Judgement {
  readonly status: Status;
  readonly message: string;
  /** Instead of the check's own. */
  readonly fix?: Fix;
  /** Of a warning: EFA is used, but slower than it could be. */
  readonly degrades?: boolean;
  /** Programs that use libfabric fail, rather than take another provider. */
  readonly breaks?: boolean;
  /** Checks that build on this one make no sense, though it did not fail. */
  readonly blocks?: boolean;
}

/** One question about a machine. */
export interface Check {
  readonly id: string;
  readonly title: string;
  readonly layer: Layer;
  /** Checks without which this one makes no sense. */
  readonly dependsOn: readonly string[];
  /** Why it matters. */
  readonly why: string;
  readonly fix: Fix;
  readonly references: readonly string[];
  /** Whether it is asked at all; always where absent. */
  readonly applies?: (survey: Survey) => boolean;
  /** What is there: files and their values. */
  readonly probe: (survey: Survey) => Evidence[];
  /** What that comes to. */
  readonly judge: (survey: Survey, evidence: readonly Evidence[]) => Judgement;
}

/** A check that was made. */
export interface CheckResult extends Judgement {
  readonly check: Check;
  readonly evidence: readonly Evidence[];
  /** Of `skip`: the check that has to pass first. */
  readonly blockedBy?: string;
}

export const pass = (message: string): Judgement => ({ status: 'pass', message });
export const info = (message: string): Judgement => ({ status: 'info', message });

/** A file as evidence, also where it is not there. */
export function fileEvidence({ host }: Survey, path: string): Evidence {
  const result = host.files.read(path);
  return { source: path, value: result.error === undefined ? result.text : `(${result.error})` };
}

/** `1 device`, `2 devices`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
