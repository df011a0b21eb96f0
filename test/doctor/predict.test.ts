/** Which transport programs take, from what is known alone. */
import { describe, expect, it } from 'vitest';
import { predict, type PredictionInput } from 'node-libfabric/doctor';

const fine: PredictionInput = {
  environment: {},
  efaBlockedBy: undefined,
  libfabric: { version: '2.4', loads: true },
  observed: undefined,
  observedNccl: undefined,
  mpiLacksOfi: false,
  plugin: { loads: true, why: '', isForAws: true },
  gpuDirectMissing: false,
  rdmaOff: false,
  hasInfiniband: false,
};
const blocked = { id: 'DEV-01', message: 'no node', breaks: false };

const cases: readonly (readonly [string, Partial<PredictionInput>, readonly [string, string, string]])[] = [
  ['all is well', {}, ['efa', 'NET/OFI (efa)', 'cm/mtl/ofi (efa)']],
  ['no device', { efaBlockedBy: blocked }, ['tcp', 'NET/Socket', 'ob1/btl/tcp']],
  [
    'no device, libfabric 1.x',
    { efaBlockedBy: blocked, libfabric: { version: '1.17', loads: true } },
    ['tcp;ofi_rxm', 'NET/Socket', 'ob1/btl/tcp'],
  ],
  [
    'no device, a plugin for any provider',
    { efaBlockedBy: blocked, plugin: { loads: true, why: '', isForAws: false } },
    ['tcp', 'NET/OFI (tcp)', 'ob1/btl/tcp'],
  ],
  ['no device, an InfiniBand card', { efaBlockedBy: blocked, hasInfiniband: true }, ['tcp', 'NET/IB', 'ob1/btl/tcp']],
  ['what ends the process', { efaBlockedBy: { ...blocked, breaks: true } }, ['none', 'none', 'none']],
  ['no libfabric', { libfabric: undefined }, ['none', 'NET/Socket', 'ob1/btl/tcp']],
  ['no plugin', { plugin: undefined }, ['efa', 'NET/Socket', 'cm/mtl/ofi (efa)']],
  [
    'no plugin, NCCL_NET',
    { plugin: undefined, environment: { NCCL_NET: 'Libfabric' } },
    ['efa', 'none', 'cm/mtl/ofi (efa)'],
  ],
  ['NCCL_NET=Socket', { environment: { NCCL_NET: 'Socket' } }, ['efa', 'NET/Socket', 'cm/mtl/ofi (efa)']],
  ['no GPUDirect where it is wanted', { gpuDirectMissing: true }, ['efa', 'NET/Socket', 'cm/mtl/ofi (efa)']],
  ['device RDMA off', { rdmaOff: true }, ['efa', 'NET/Socket', 'cm/mtl/ofi (efa)']],
  ['Open MPI without ofi', { environment: { OMPI_MCA_mtl: '^ofi' } }, ['efa', 'NET/OFI (efa)', 'ob1/btl/tcp']],
  ['Open MPI built without libfabric', { mpiLacksOfi: true }, ['efa', 'NET/OFI (efa)', 'ob1/btl/tcp']],
  ['a log that says so', { observedNccl: 'NET/Socket' }, ['efa', 'NET/Socket', 'cm/mtl/ofi (efa)']],
  [
    'FI_PROVIDER=shm',
    { efaBlockedBy: { ...blocked, id: 'ENV-01' }, environment: { FI_PROVIDER: 'shm' } },
    ['shm', 'NET/Socket', 'ob1/btl/tcp'],
  ],
];

describe('a prediction', () => {
  it.each(cases)('%s', (_name, change, [libfabric, nccl, openmpi]) => {
    const prediction = predict({ ...fine, ...change });
    expect({
      libfabric: prediction.libfabric.transport,
      nccl: prediction.nccl.transport,
      openmpi: prediction.openmpi.transport,
    }).toEqual({ libfabric, nccl, openmpi });
    for (const { why } of Object.values(prediction)) expect(why).not.toBe('');
  });

  it('says when libfabric was asked', () => {
    expect(predict({ ...fine, observed: 'tcp' }).libfabric).toMatchObject({ transport: 'tcp', confidence: 'observed' });
    expect(predict({ ...fine, observedNccl: 'NET/IB' }).nccl.confidence).toBe('observed');
    const { libfabric, nccl, openmpi } = predict(fine);
    expect([libfabric, nccl, openmpi].map(({ confidence }) => confidence)).toEqual(Array(3).fill('predicted'));
  });
});
