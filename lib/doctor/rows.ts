/** What of a report the terminal and the page show in the same words. */
import type { Report } from './report.js';

/** A program and what it takes. */
export interface TransportRow {
  readonly name: string;
  readonly transport: string;
  readonly why: string;
}

/** Programs that count here, by their own names. */
export function transportRows({ consumers, prediction }: Report): TransportRow[] {
  const names = { libfabric: 'libfabric', nccl: 'NCCL', mpi: 'Open MPI' };
  const taken = { libfabric: prediction.libfabric, nccl: prediction.nccl, mpi: prediction.openmpi };
  return consumers.map((consumer) => {
    const { transport, why, confidence } = taken[consumer];
    return { name: names[consumer], transport, why: `${confidence}: ${why}` };
  });
}

/** Which machine this is. */
export function machineRow({ node, host }: Report): string {
  const { instanceId, instanceType, container, sign, arch, kernel } = host;
  const where = container === null ? 'not in a container' : `in a container (${container}: ${sign!})`;
  const parts = [instanceId ?? node, instanceType, where, arch, kernel === null ? null : `kernel ${kernel}`];
  return parts.filter((part) => part !== null).join(', ');
}

/** Whether there is a record of the EFA installer, and which. */
export const installationTitle = ({ software: { recorded, installer } }: Report): string =>
  recorded === null ? 'Installed (no record of the EFA installer)' : `Installed (EFA installer ${installer ?? '?'})`;

/** The parts that users know from the EFA installer: what is here, and what its record says. */
export function installationRows({ software }: Report): { name: string; text: string }[] {
  const { recorded, libfabric, openmpi, plugin, rdmaCore, driver, utilities } = software;
  const parts: readonly (readonly [string, string | null, readonly string[] | undefined])[] = [
    ['libfabric', libfabric && `${libfabric.version ?? 'version unknown'}, ${libfabric.path}`, recorded?.engine],
    ['Open MPI', openmpi.length === 0 ? null : openmpi.join(', '), recorded?.mpi],
    ['NCCL plugin', plugin && `${plugin.version ?? 'version unknown'}, ${plugin.path}`, recorded?.plugin],
    ['RDMA core', rdmaCore, recorded?.rdma],
    ['EFA driver', driver && `${driver}, running`, recorded?.driver],
    ['utilities', utilities.length === 0 ? null : utilities.join(', '), recorded?.utilities],
  ];
  return parts.map(([name, here, packages]) => {
    const record = recorded === null ? '' : ` [${packages?.join(', ') ?? 'not in the record'}]`;
    return { name, text: `${here ?? 'not found here'}${record}` };
  });
}
