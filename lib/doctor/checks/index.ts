/** Every check, in the order of the stack. */
import type { Check } from '../check.js';
import { counterChecks } from './counters.js';
import { deviceChecks } from './device.js';
import { environmentChecks } from './environment.js';
import { fileChecks } from './files.js';
import { gpuChecks } from './gpu.js';
import { hostChecks } from './host.js';
import { installerChecks } from './installer.js';
import { libfabricChecks } from './libfabric.js';
import { limitChecks } from './limits.js';
import { logChecks } from './log.js';
import { moduleChecks } from './module.js';
import { mpiChecks } from './mpi.js';
import { ncclChecks } from './nccl.js';
import { networkChecks } from './network.js';
import { pciChecks } from './pci.js';
import { rdmaChecks } from './rdma.js';
import { verbsChecks } from './verbs.js';

/** All of them; what a check depends on comes before it. */
export const CHECKS: readonly Check[] = inOrder([
  ...hostChecks,
  ...pciChecks,
  ...moduleChecks,
  ...rdmaChecks,
  ...deviceChecks,
  ...verbsChecks,
  ...libfabricChecks,
  ...installerChecks,
  ...environmentChecks,
  ...limitChecks,
  ...gpuChecks,
  ...ncclChecks,
  ...mpiChecks,
  ...networkChecks,
  ...counterChecks,
  ...logChecks,
  ...fileChecks,
]);

/** What a check depends on comes before it; otherwise the order stays. */
function inOrder(checks: readonly Check[]): Check[] {
  const ordered: Check[] = [];
  let waiting = [...checks];
  while (waiting.length > 0) {
    const isReady = ({ dependsOn }: Check): boolean => dependsOn.every((id) => ordered.some((done) => done.id === id));
    const next = waiting.find(isReady);
    if (next === undefined)
      throw new Error(`checks that wait for each other: ${waiting.map(({ id }) => id).join(', ')}`);
    ordered.push(next);
    waiting = waiting.filter((check) => check !== next);
  }
  return ordered;
}
