import { EFA_INSTANCES, INSTANCES_DATE } from '../../data/efa-instances.js';
import { fileEvidence, info, pass, type Check } from '../check.js';
import { DMI } from '../survey/identity.js';
import { MOUNTS } from '../survey/mounts.js';

const EC2_GUIDE = 'https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa.html';

export const hostChecks: readonly Check[] = [
  {
    id: 'HOST-01',
    title: 'EC2 instance of a type with EFA',
    layer: 'host',
    dependsOn: [],
    why: 'EFA exists on some EC2 instance types only; how many devices a node should have depends on its type.',
    fix: {
      host: [
        'Take an instance type that has EFA. Where the type cannot be read: --imds asks for it, --expect TYPE states it.',
      ],
    },
    references: [EC2_GUIDE],
    probe: (survey) => [
      fileEvidence(survey, `${DMI}/sys_vendor`),
      fileEvidence(survey, `${DMI}/product_name`),
      fileEvidence(survey, `${DMI}/board_asset_tag`),
      ...(survey.host.live?.instance === undefined
        ? []
        : [
            {
              source: 'instance metadata service',
              value: survey.host.live.instance.error ?? survey.host.live.instance.type ?? '(no type)',
            },
          ]),
      ...(survey.options.expectType === undefined ? [] : [{ source: '--expect', value: survey.options.expectType }]),
    ],
    judge: ({ identity }) => {
      const { isEc2, instanceType, expected, vendor } = identity;
      if (!isEc2) return info(`this is not an EC2 instance (${vendor ?? 'no vendor in the firmware tables'})`);
      if (expected !== undefined) {
        return pass(
          `${expected.instanceType}: up to ${expected.efaDevices} EFA devices, ${expected.gigabitsPerSecond} Gbit/s`,
        );
      }
      return info(
        `${instanceType ?? 'an EC2 instance without a type'} is not among the ${EFA_INSTANCES.size} types with EFA of ${INSTANCES_DATE}; the number of devices is not judged`,
      );
    },
  },
  {
    id: 'HOST-02',
    title: 'Architecture, kernel, container',
    layer: 'host',
    dependsOn: [],
    why: 'EFA has drivers and libraries for x86_64 and aarch64 only; in a container the same fault needs another fix.',
    fix: { host: ['Use an x86_64 or aarch64 machine.'] },
    references: [],
    probe: ({ identity: { arch, kernel, container } }) => [
      { source: 'uname -m', value: arch ?? '(unknown)' },
      { source: 'uname -r', value: kernel ?? '(unknown)' },
      ...(container === undefined ? [] : [{ source: container.sign, value: container.kind }]),
    ],
    judge: ({ identity: { arch, kernel, container } }) => {
      if (arch !== undefined && !['x86_64', 'aarch64'].includes(arch)) {
        return { status: 'fail', message: `there is no EFA software for ${arch}`, breaks: true };
      }
      const where = container === undefined ? 'no container' : `in a container (${container.kind})`;
      return info(`${arch ?? 'unknown architecture'}, kernel ${kernel ?? 'unknown'}, ${where}`);
    },
  },
  {
    id: 'HOST-04',
    title: 'The software is that of the image',
    layer: 'host',
    dependsOn: [],
    why: "Libraries that are mounted from the host want the host's glibc and rdma-core. In an image with others they do not load, and NCCL takes TCP.",
    fix: {
      host: ['Install the EFA software in the image, and mount devices only.'],
      container: [
        'Do not mount them. In the last stage of the image: efa_installer.sh -y --skip-kmod --skip-limit-conf --no-verify',
      ],
    },
    references: ['https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html'],
    applies: ({ identity }) => identity.container !== undefined,
    probe: ({ mounts }) => mounts.software.map((path) => ({ source: MOUNTS, value: path })),
    judge: ({ mounts: { software } }) =>
      software.length === 0
        ? pass('nothing of EFA is mounted')
        : { status: 'warn', message: `mounted, probably from the host: ${software.join(', ')}` },
  },
];
