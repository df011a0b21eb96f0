import { info, type Check } from '../check.js';

export const networkChecks: readonly Check[] = [
  {
    id: 'NET-01',
    title: 'The security group lets EFA through',
    layer: 'network',
    dependsOn: ['PCI-01'],
    why: 'EFA traffic is not IP: a rule for ports or addresses does not let it through, only one that names the group itself, inbound and outbound. Both ends have to be in one VPC and availability zone.',
    fix: {
      host: [
        'Two rules, all traffic (-1), source and destination the group itself: one inbound, one outbound.',
        'fabric-doctor --peer HOST tells a blocking group from a dead peer.',
      ],
    },
    references: [
      'https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html',
      'https://github.com/aws/aws-ofi-nccl/issues/663',
      'https://github.com/awslabs/awsome-distributed-ai/issues/546',
    ],
    probe: () => [],
    judge: () => info('cannot be seen from inside: try --peer HOST'),
  },
];
