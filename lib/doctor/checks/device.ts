import { count, info, pass, type Check, type Evidence } from '../check.js';
import { isAtLeast } from '../survey/version.js';
import type { Survey } from '../survey/survey.js';

/** What open(2) of a device node means by its errors. */
const OPEN_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'the node is not there: not passed to the container, or udev has not made it',
  EPERM: 'refused by the device cgroup: the container was not given the device',
  EACCES: 'refused by the mode of the file or by SELinux; rdma-core sets 0666',
  ENXIO: 'a stale node: the device behind it is gone',
  ENODEV: 'a stale node: the device behind it is gone',
};
const GIVE_DEVICES = {
  host: ['Install rdma-core (its udev rule makes the nodes with mode 0666), then: udevadm trigger'],
  container: [
    'docker: --device=/dev/infiniband/uverbsN for each device; fabric-doctor --container docker prints them all.',
    'Kubernetes: ask for vpc.amazonaws.com/efa in resources.limits; the EFA device plugin passes them.',
  ],
};
const DEVICES_REFERENCES = [
  'https://github.com/aws/aws-ofi-nccl/issues/1020',
  'https://github.com/aws/aws-ofi-nccl/issues/879',
];

const nodeOf = (uverbs: string): string => `/dev/infiniband/${uverbs}`;

/** Each RDMA device of a kind that has a number, and what opening its node says. */
function opened(survey: Survey, isEfa: boolean): { name: string; node: string; result: string | undefined }[] {
  return survey.devices.rdma
    .filter((device) => device.isEfa === isEfa && device.uverbs !== undefined)
    .map(({ name, uverbs }) => ({
      name,
      node: nodeOf(uverbs!),
      result: survey.host.files.exists(nodeOf(uverbs!)) ? survey.openNode(uverbs!) : 'ENOENT',
    }));
}

const openEvidence = (found: ReturnType<typeof opened>): Evidence[] =>
  found.map(({ node, name, result }) => ({ source: node, value: `${name}: open ${result ?? 'was not tried'}` }));

/** Devices that are not EFA and cannot be opened. */
export const unopenable = (survey: Survey): string[] =>
  opened(survey, false)
    .filter(({ result }) => result !== undefined && result !== 'ok')
    .map(({ name }) => name);

/** Whether this libfabric passes over devices that it cannot open: pull requests 12744 and 12753, after 2.6.0. */
export const toleratesForeign = (version: string | undefined): boolean =>
  version !== undefined && isAtLeast(version, '2.7');

export const deviceChecks: readonly Check[] = [
  {
    id: 'DEV-01',
    title: 'Device nodes are here',
    layer: 'device',
    dependsOn: ['RDMA-02'],
    why: 'A container sees all of sysfs but only the device nodes that it was given: without them libfabric finds nothing and says "No data available".',
    fix: GIVE_DEVICES,
    references: DEVICES_REFERENCES,
    probe: ({ devices, host }) =>
      devices.rdma
        .filter(({ isEfa, uverbs }) => isEfa && uverbs !== undefined)
        .map(({ uverbs }) => ({
          source: nodeOf(uverbs!),
          value: host.files.exists(nodeOf(uverbs!)) ? 'there' : 'absent',
        })),
    judge: (survey, evidence) => {
      const there = evidence.filter(({ value }) => value === 'there').length;
      if (there === evidence.length) return pass(count(there, 'node'));
      if (there === 0) {
        const where = survey.identity.container === undefined ? '' : ': the container was not given the devices';
        return { status: 'fail', message: `no node in /dev/infiniband for any EFA device${where}` };
      }
      const message = `${there} of ${evidence.length} nodes`;
      // a pod gets as many as it asks for
      if (survey.identity.container?.kind === 'kubernetes') return info(`${message}: as many as the pod asked for`);
      return { status: 'warn', degrades: true, message };
    },
  },
  {
    id: 'DEV-02',
    title: 'Device nodes can be opened',
    layer: 'device',
    dependsOn: ['DEV-01'],
    why: 'A node that is listed is not yet one that may be opened. libfabric reports errno 2 for some of these whatever the kernel said, so the node itself is tried.',
    fix: {
      host: [
        'Now: chmod 0666 /dev/infiniband/uverbs*',
        'For each boot: install rdma-core, whose udev rule sets that mode.',
      ],
      container: GIVE_DEVICES.container,
    },
    references: ['https://github.com/NVIDIA/nccl/issues/2428', ...DEVICES_REFERENCES],
    probe: (survey) => openEvidence(opened(survey, true).filter(({ result }) => result !== 'ENOENT')),
    judge: (survey) => {
      const found = opened(survey, true).filter(({ node }) => survey.host.files.exists(node));
      const failed = found.filter(({ result }) => result !== undefined && result !== 'ok');
      if (failed.length > 0) {
        const { node, result } = failed[0]!;
        const meaning = OPEN_ERRORS[result!] ?? 'an error without a known meaning here';
        const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : '';
        return { status: 'fail', message: `open(${node}) = ${result!}${more}: ${meaning}` };
      }
      if (found.some(({ result }) => result === undefined)) return info('opening was not tried: files only');
      return pass(`${count(found.length, 'node')} opened`);
    },
  },
  {
    id: 'DEV-03',
    title: 'RDMA devices of others do not get in the way',
    layer: 'device',
    dependsOn: ['DEV-02', 'LF-02'],
    why: 'Up to libfabric 2.6 one RDMA device that cannot be opened, of whatever make, takes the whole efa provider away. FI_EFA_IFACE does not help: devices are opened before it is looked at.',
    fix: {
      host: ['Make the other nodes openable (mode 0666), or use a libfabric newer than 2.6.'],
      container: [
        'Pass the nodes of the other devices too, or keep their sysfs entries out of the container.',
        'Or use a libfabric newer than 2.6. FI_EFA_IFACE does not help.',
      ],
    },
    references: [
      'https://github.com/ofiwg/libfabric/issues/12708',
      'https://github.com/ofiwg/libfabric/pull/12744',
      'https://github.com/aws-samples/aws-do-eks/issues/63',
    ],
    probe: (survey) => [
      ...openEvidence(opened(survey, false)),
      { source: survey.selected?.real ?? 'libfabric', value: survey.selected?.version ?? '(version unknown)' },
    ],
    judge: (survey) => {
      if (!survey.devices.rdma.some(({ isEfa }) => !isEfa)) return pass('there are none');
      const closed = unopenable(survey);
      if (closed.length === 0) return pass('all of them can be opened');
      const version = survey.selected?.version;
      if (survey.opensEfa || toleratesForeign(version)) {
        return {
          status: 'warn',
          message: `${closed.join(', ')} cannot be opened; this libfabric passes over them, one up to 2.6 would lose efa`,
        };
      }
      return {
        status: 'fail',
        message: `${closed.join(', ')} cannot be opened, and libfabric ${version ?? 'up to 2.6'} then gives up every EFA device`,
      };
    },
  },
];
