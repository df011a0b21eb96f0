import { count, pass, type Check } from '../check.js';
import { RDMA, VERBS } from '../survey/devices.js';

export const rdmaChecks: readonly Check[] = [
  {
    id: 'RDMA-01',
    title: 'Each device is an RDMA device',
    layer: 'rdma',
    dependsOn: ['MOD-02'],
    why: 'The driver registers its devices with the RDMA core. Port state and link layer are fixed values in the driver and prove nothing.',
    fix: {
      host: ['See why: dmesg | grep -i efa', 'Then reload the driver: modprobe -r efa && modprobe efa'],
      container: ['Share the host network namespace (--network host) or set RDMA to shared: rdma system show.'],
    },
    references: [],
    probe: ({ devices }) => [
      { source: '/sys/bus/pci/devices', value: count(devices.efa.length, 'EFA function') },
      ...devices.rdma.map(({ name, address, isEfa }) => ({
        source: `${RDMA}/${name}`,
        value: `${address}${isEfa ? '' : ' (not an EFA)'}`,
      })),
    ],
    judge: ({ devices }) => {
      const found = devices.rdma.filter(({ isEfa }) => isEfa).length;
      if (found >= devices.efa.length) return pass(count(found, 'EFA device'));
      if (found === 0) return { status: 'fail', message: 'the driver is bound, but the RDMA core shows no EFA device' };
      return { status: 'warn', degrades: true, message: `${found} of ${devices.efa.length} devices` };
    },
  },
  {
    id: 'RDMA-02',
    title: 'Each device has a uverbs number',
    layer: 'rdma',
    dependsOn: ['RDMA-01'],
    why: 'Programs open /dev/infiniband/uverbsN; sysfs says which N belongs to which device.',
    fix: { host: ['modprobe -r efa ib_uverbs && modprobe efa'] },
    references: [],
    probe: ({ devices }) => [
      { source: `${VERBS}/abi_version`, value: devices.abi ?? '(absent)' },
      ...devices.rdma
        .filter(({ isEfa }) => isEfa)
        .map(({ name, uverbs, number }) => ({
          source: `${RDMA}/${name}`,
          value: `${uverbs ?? '(none)'} ${number ?? ''}`.trim(),
        })),
    ],
    judge: ({ devices }) => {
      if (devices.abi !== undefined && devices.abi !== '6') {
        return { status: 'fail', message: `the uverbs interface is ${devices.abi}, rdma-core knows 6` };
      }
      const without = devices.rdma.filter(({ isEfa, uverbs }) => isEfa && uverbs === undefined);
      if (without.length === 0) return pass('one each');
      return { status: 'fail', message: `no uverbs for ${without.map(({ name }) => name).join(', ')}` };
    },
  },
];
