import { info, pass, type Check, type Judgement } from '../check.js';
import type { TrafficResult } from '../host.js';

export const networkChecks: readonly Check[] = [
  {
    id: 'NET-01',
    title: 'The security group lets EFA through',
    layer: 'network',
    dependsOn: ['PCI-01'],
    why: 'EFA traffic is not IP: a rule for ports or addresses does not let it through, only one that names the group itself, inbound and outbound. Both ends have to be in one VPC and availability zone.',
    fix: {
      host: [
        'The group needs two rules, all traffic (-1): from itself inbound, to itself outbound.',
        'This tells a blocking group from a dead peer: fabric-doctor --peer HOST',
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
  {
    id: 'NET-02',
    title: 'Traffic goes through each device (--loopback)',
    layer: 'network',
    dependsOn: [],
    why: 'Both ends here, shared memory off, one device after the other: its counters have to move, or something else carried it.',
    fix: { host: ['FI_LOG_LEVEL=warn npx fabric-pingpong local --provider efa says what libfabric met.'] },
    references: ['https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa.html'],
    applies: ({ host }) => host.live?.loopback !== undefined,
    probe: ({ host }) => evidenceOf(host.live!.loopback!),
    judge: ({ host }) => judgeTraffic(host.live!.loopback!),
  },
  {
    id: 'NET-03',
    title: 'Traffic goes to the peer (--peer)',
    layer: 'network',
    dependsOn: [],
    why: 'A security group that blocks, a dead peer, a server that does not run and a mismatch of versions answer in different ways.',
    fix: { host: ['On the peer: npx fabric-pingpong serve --provider efa'] },
    references: ['https://github.com/aws/aws-ofi-nccl/issues/663'],
    applies: ({ host }) => host.live?.peer !== undefined,
    probe: ({ host }) => evidenceOf(host.live!.peer!),
    judge: ({ host }) => judgeTraffic(host.live!.peer!),
  },
];

const evidenceOf = (results: readonly TrafficResult[]): { source: string; value: string }[] =>
  results.map(({ name, message }) => ({ source: name, value: message }));

function judgeTraffic(results: readonly TrafficResult[]): Judgement {
  if (results.length === 0) return { status: 'skip', message: 'libfabric has no efa here' };
  const failed = results.find(({ works }) => !works);
  if (failed === undefined) return pass(results.length === 1 ? results[0]!.message : `through all ${results.length}`);
  const message = results.length === 1 ? failed.message : `${failed.name}: ${failed.message}`;
  return { status: 'fail', message, ...(failed.fix.length === 0 ? {} : { fix: { host: failed.fix } }) };
}
