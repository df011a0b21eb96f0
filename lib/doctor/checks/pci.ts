import { count, info, pass, type Check } from '../check.js';
import { isAtLeast } from '../survey/version.js';

/** Which driver knows a PCI id first; the generation is inferred from the id. Source: amzn-drivers release notes. */
export const GENERATIONS: Readonly<Record<number, { readonly driver: string; readonly name: string }>> = {
  0xefa0: { driver: '0.9.0', name: 'EFA v1' },
  0xefa1: { driver: '1.9.0', name: 'EFA v2' },
  0xefa2: { driver: '2.1.0', name: 'EFA v3' },
  0xefa3: { driver: '2.12.0', name: 'EFA v4' },
  0xefa4: { driver: '3.3.0', name: 'EFA v5' },
};

const hex = (number: number): string => `0x${number.toString(16)}`;

export const pciChecks: readonly Check[] = [
  {
    id: 'PCI-01',
    title: 'EFA devices on the PCI bus',
    layer: 'pci',
    dependsOn: ['HOST-01', 'HOST-02'],
    why: 'An interface becomes an EFA when it is made as one (type efa or efa-only). Looked for by number, since lspci has no name for new devices and a search for "EFA" then finds nothing.',
    fix: {
      host: [
        'Stop the instance, attach a network interface of type efa (or efa-only) to each network card, start it.',
        'Launch templates: InterfaceType: efa for every NetworkCardIndex.',
      ],
      container: ['Repair the host: its instance has no EFA interface. No setting of the container helps.'],
    },
    references: ['https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html'],
    probe: ({ devices }) =>
      devices.efa.length === 0
        ? [{ source: '/sys/bus/pci/devices', value: 'no function with vendor 0x1d0f and device 0xefa0 to 0xefaf' }]
        : devices.efa.map(({ path, device }) => ({ source: path, value: `0x1d0f:${hex(device)}` })),
    judge: ({ devices, identity, options }) => {
      if (devices.efa.length > 0) return pass(count(devices.efa.length, 'EFA device'));
      if (identity.expected === undefined && options.expectDevices === undefined) {
        return { ...info('there is no EFA hardware here'), blocks: true };
      }
      return {
        status: 'fail',
        message: `${identity.instanceType ?? 'this node'} can have EFA, but no network interface was created as one`,
      };
    },
  },
  {
    id: 'PCI-02',
    title: 'As many devices as the type has',
    layer: 'pci',
    dependsOn: ['PCI-01'],
    why: 'Each missing device is missing bandwidth; libraries stripe over those that there are and say nothing.',
    fix: {
      host: [
        'Create an interface of type efa or efa-only on every network card: possible at launch, or while stopped.',
      ],
      container: ['If this is not meant: ask for all devices (vpc.amazonaws.com/efa), or repair the launch template.'],
    },
    references: ['https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa.html'],
    probe: ({ devices, identity, options }) => [
      { source: '/sys/bus/pci/devices', value: String(devices.efa.length) },
      {
        source: options.expectDevices === undefined ? (identity.instanceType ?? 'instance type') : '--expect',
        value: String(options.expectDevices ?? identity.expected?.efaDevices ?? 'unknown'),
      },
    ],
    judge: ({ devices, identity, options }) => {
      const expected = options.expectDevices ?? identity.expected?.efaDevices;
      const found = devices.efa.length;
      if (expected === undefined) return info(`${count(found, 'device')}; how many there should be is not known`);
      if (found === expected) return pass(`${found} of ${expected}`);
      if (found > expected) return info(`${found}, more than the ${expected} that are known of this type`);
      return {
        status: 'warn',
        degrades: true,
        message: `${found} of ${expected} devices: ${expected - found} network cards have no EFA interface`,
      };
    },
  },
  {
    id: 'PCI-03',
    title: 'The driver knows these devices',
    layer: 'pci',
    dependsOn: ['PCI-01', 'MOD-03'],
    why: 'Each generation of devices needs a driver that knows its PCI id.',
    fix: { host: ['Install a current EFA installer (efa_installer.sh -y), then reboot.'] },
    references: ['https://github.com/amzn/amzn-drivers/tree/master/kernel/linux/efa'],
    probe: ({ devices, modules }) => [
      { source: '/sys/module/efa/version', value: modules.running ?? '(in-tree driver: no version)' },
      ...[...new Set(devices.efa.map(({ device }) => device))].map((device) => ({
        source: hex(device),
        value: GENERATIONS[device] ? `${GENERATIONS[device].name} (inferred from the PCI id)` : 'not known',
      })),
    ],
    judge: ({ devices, modules }) => {
      const ids = [...new Set(devices.efa.map(({ device }) => device))];
      const unknown = ids.filter((id) => GENERATIONS[id] === undefined);
      if (unknown.length > 0) {
        return { status: 'warn', message: `${unknown.map(hex).join(', ')} is newer than this tool` };
      }
      const { running } = modules;
      if (running === undefined) return info('the in-tree driver has no version to compare');
      const old = ids.find((id) => !isAtLeast(running, GENERATIONS[id]!.driver));
      if (old === undefined) return pass(`driver ${running} knows ${ids.map(hex).join(', ')}`);
      return {
        status: 'fail',
        message: `driver ${running} is older than ${GENERATIONS[old]!.driver}, which ${hex(old)} needs`,
      };
    },
  },
];
