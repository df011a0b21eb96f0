import { info, type Check } from '../check.js';
import { readTraffic } from '../survey/traffic.js';

export const counterChecks: readonly Check[] = [
  {
    id: 'CNT-01',
    title: 'Bytes that the devices have carried',
    layer: 'counters',
    dependsOn: ['RDMA-01'],
    why: 'What a device counts is the only proof that traffic went through it. In a network namespace of its own a container has no port counters: no fault.',
    fix: { host: ['fabric-doctor --watch -- COMMAND compares before and after.'] },
    references: ['https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa.html'],
    probe: ({ host, devices }) =>
      readTraffic(host, devices).map(({ name, bytes, file }) => ({
        source: file,
        value: bytes === undefined ? `${name}: no counters` : `${name}: ${bytes} bytes`,
      })),
    judge: ({ host, devices, identity }) => {
      const traffic = readTraffic(host, devices);
      const total = traffic.reduce((sum, { bytes }) => sum + (bytes ?? 0n), 0n);
      if (traffic.every(({ bytes }) => bytes === undefined)) {
        return info(
          identity.container === undefined
            ? 'the driver shows no port counters'
            : 'none in this network namespace; docker: -v /sys/devices:/sys/devices:ro',
        );
      }
      return info(total === 0n ? 'no byte yet since the driver was loaded' : `${total} bytes sent and received`);
    },
  },
];
