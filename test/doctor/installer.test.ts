/** Records of the EFA installer as users have published them (the issues are named), deb and rpm. */
import { describe, expect, it } from 'vitest';
import { parseInstaller, type Role } from '../../lib/doctor/survey/installer.js';

const header = (version: string): string =>
  `# EFA installer version: ${version}\n# Debug packages installed: no\n# Packages installed:\n`;

const records: readonly (readonly [string, string, Partial<Record<Role, string>>])[] = [
  [
    '1.5.1, deb (aws/libfabric#3)',
    'efa_1.3.0-1.amzn1_amd64 ibacm_25.0-1_amd64 ibverbs-providers_25.0-1_amd64 ibverbs-utils_25.0-1_amd64 infiniband-diags_25.0-1_amd64 libfabric1_1.8.0amzn1.0_amd64 libfabric-bin_1.8.0amzn1.0_amd64 libfabric-dev_1.8.0amzn1.0_amd64 libibmad5_25.0-1_amd64 libibmad-dev_25.0-1_amd64 libibnetdisc5_25.0-1_amd64 libibnetdisc-dev_25.0-1_amd64 libibumad3_25.0-1_amd64 libibumad-dev_25.0-1_amd64 libibverbs1_25.0-1_amd64 libibverbs-dev_25.0-1_amd64 librdmacm1_25.0-1_amd64 librdmacm-dev_25.0-1_amd64 openmpi_3.1.4-2_amd64 rdmacm-utils_25.0-1_amd64 rdma-core_25.0-1_amd64',
    { driver: '1.3.0-1.amzn1', engine: '1.8.0amzn1.0', mpi: '3.1.4-2', rdma: '25.0-1' },
  ],
  [
    '1.17.2, deb (aws/aws-ofi-nccl#141)',
    'efa-config_1.10_all efa-profile_1.5_all libfabric-aws-bin_1.16.0~amzn3.0_amd64 libfabric-aws-dev_1.16.0~amzn3.0_amd64 libfabric1-aws_1.16.0~amzn3.0_amd64 openmpi40-aws_4.1.4-1_amd64 ibacm_41.0-1_amd64 ibverbs-providers_41.0-1_amd64 ibverbs-utils_41.0-1_amd64 infiniband-diags_41.0-1_amd64 libibmad-dev_41.0-1_amd64 libibmad5_41.0-1_amd64 libibnetdisc-dev_41.0-1_amd64 libibnetdisc5_41.0-1_amd64 libibumad-dev_41.0-1_amd64 libibumad3_41.0-1_amd64 libibverbs-dev_41.0-1_amd64 libibverbs1_41.0-1_amd64 librdmacm-dev_41.0-1_amd64 librdmacm1_41.0-1_amd64 rdma-core_41.0-1_amd64 rdmacm-utils_41.0-1_amd64 efa_1.16.0-1.amzn1_amd64',
    { driver: '1.16.0-1.amzn1', engine: '1.16.0~amzn3.0', mpi: '4.1.4-1', rdma: '41.0-1', configuration: '1.10' },
  ],
  [
    '1.22.0, rpm (aws/aws-parallelcluster-cookbook#1882)',
    'efa-config-1.13-1.el8.noarch efa-profile-1.5-1.el8.noarch libfabric-aws-1.17.0-1.el8.x86_64 libfabric-aws-devel-1.17.0-1.el8.x86_64 openmpi40-aws-4.1.5-1.x86_64 ibacm-43.0-1.el8.x86_64 infiniband-diags-43.0-1.el8.x86_64 infiniband-diags-compat-43.0-1.el8.x86_64 libibumad-43.0-1.el8.x86_64 libibverbs-43.0-1.el8.x86_64 libibverbs-utils-43.0-1.el8.x86_64 librdmacm-43.0-1.el8.x86_64 librdmacm-utils-43.0-1.el8.x86_64 python3-pyverbs-43.0-1.el8.x86_64 rdma-core-43.0-1.el8.x86_64 rdma-core-devel-43.0-1.el8.x86_64',
    { engine: '1.17.0-1.el8', mpi: '4.1.5-1', rdma: '43.0-1.el8', utilities: '43.0-1.el8' },
  ],
  [
    '1.49.0, rpm (rebuilt from its list of packages)',
    'efa-config-1.18-1.amzn2023.noarch efa-profile-1.7-1.amzn2023.noarch libfabric-aws-2.4.0amzn5.0-1.amzn2023.x86_64 libfabric-aws-devel-2.4.0amzn5.0-1.amzn2023.x86_64 libnccl-ofi-1.20.0-1.amzn2023.x86_64 openmpi40-aws-4.1.7-3.x86_64 openmpi50-aws-5.0.9amzn1-11.x86_64 pmix-aws-4.2.8-13.x86_64 prrte-aws-3.0.6-13.x86_64 ibacm-63.0-1.amzn2023.x86_64 infiniband-diags-63.0-1.amzn2023.x86_64 infiniband-diags-compat-63.0-1.amzn2023.x86_64 libibumad-63.0-1.amzn2023.x86_64 libibverbs-63.0-1.amzn2023.x86_64 libibverbs-utils-63.0-1.amzn2023.x86_64 librdmacm-63.0-1.amzn2023.x86_64 librdmacm-utils-63.0-1.amzn2023.x86_64 python3-pyverbs-63.0-1.amzn2023.x86_64 rdma-core-63.0-1.amzn2023.x86_64 rdma-core-devel-63.0-1.amzn2023.x86_64 efa-3.1.0-1.amzn2023.x86_64 efa-nv-peermem-1.2.3-1.amzn2023.x86_64',
    {
      engine: '2.4.0amzn5.0-1.amzn2023',
      plugin: '1.20.0-1.amzn2023',
      driver: '3.1.0-1.amzn2023',
      peermem: '1.2.3-1.amzn2023',
    },
  ],
];

describe('the record of the EFA installer', () => {
  it.each(records)('%s', (name, packages, expected) => {
    const version = /^[\d.]+/.exec(name)![0];
    const installer = parseInstaller('record', `${header(version)}${packages}\n`);
    expect(installer.version).toBe(version);
    expect(installer.packages).toHaveLength(packages.split(' ').length);
    expect(installer.isMinimal).toBe(false);
    for (const [role, found] of Object.entries(expected))
      expect(installer.roles[role as Role]![0]!.version).toBe(found);
  });

  it('of the first releases had packages alone', () => {
    const { version, roles } = parseInstaller('record', records[0]![1]);
    expect([version, roles.engine]).toEqual([undefined, [{ name: 'libfabric1', version: '1.8.0amzn1.0' }]]);
  });

  it('is told by its header where nothing follows', () => {
    const { version, packages } = parseInstaller('record', header('1.47.0'));
    expect([version, packages]).toEqual(['1.47.0', []]);
  });

  it('of --minimal has driver and rdma-core alone', () => {
    const installer = parseInstaller(
      'record',
      `${header('1.49.0')}rdma-core-63.0-1.amzn2023.x86_64 efa-3.1.0-1.amzn2023.x86_64`,
    );
    expect(installer.isMinimal).toBe(true);
  });

  it('that is empty or no record has no package', () => {
    expect(parseInstaller('record', '').packages).toEqual([]);
    expect(parseInstaller('record', 'hello world').packages).toEqual([]);
  });
});
