import { count, fileEvidence, info, pass, type Check } from '../check.js';
import { compareVersions } from '../survey/version.js';
import type { Survey } from '../survey/survey.js';

/** The newest driver that is installed, running or not. */
function installedDriver({ installer, modules }: Survey): string | undefined {
  const versions = [...(installer?.roles.driver ?? []).map(({ version }) => version), ...modules.sources];
  return versions.sort(compareVersions).at(-1);
}

export const moduleChecks: readonly Check[] = [
  {
    id: 'MOD-01',
    title: 'ib_core and ib_uverbs are in the kernel',
    layer: 'module',
    dependsOn: ['PCI-01'],
    why: 'Programs reach the device through ib_uverbs. EFA does not use rdma_cm: its absence is no fault.',
    fix: {
      host: [
        'modprobe ib_uverbs',
        'Where the module does not exist: install the full kernel modules (Ubuntu: linux-modules-extra-$(uname -r)).',
      ],
      container: ['On the host: modprobe ib_uverbs. A container cannot load modules.'],
    },
    references: ['https://github.com/ofiwg/libfabric/issues/5850'],
    probe: ({ modules }) =>
      ['ib_core', 'ib_uverbs'].map((name) => ({
        source: `/proc/modules, /sys/module/${name}`,
        value: modules.isLoaded(name) ? 'loaded' : 'absent',
      })),
    judge: ({ modules, devices }) => {
      // built-in modules without parameters show nowhere else
      const missing = ['ib_core', 'ib_uverbs'].filter((name) => !modules.isLoaded(name));
      if (missing.length === 0 || devices.abi !== undefined) return pass('both are there');
      return { status: 'fail', message: `${missing.join(' and ')} not loaded` };
    },
  },
  {
    id: 'MOD-02',
    title: 'The efa driver is bound to each device',
    layer: 'module',
    dependsOn: ['MOD-01'],
    why: 'Without the driver the device is a PCI function that nobody drives, and libfabric takes TCP.',
    fix: {
      host: [
        'Now: modprobe efa. If that fails, this says why: dmesg | grep -i efa',
        'For each boot: echo efa > /etc/modules-load.d/efa.conf',
        'After a kernel update: dkms autoinstall, or run the EFA installer again.',
      ],
      container: ['On the host: modprobe efa (or run the EFA installer there). A container cannot load modules.'],
    },
    references: ['https://github.com/aws/libfabric/issues/7'],
    probe: ({ devices, modules }) => [
      { source: '/proc/modules, /sys/module/efa', value: modules.isLoaded('efa') ? 'loaded' : 'absent' },
      ...devices.efa.map(({ path, driver }) => ({ source: `${path}/driver`, value: driver ?? '(none)' })),
      ...modules.built.map((path) => ({ source: path, value: 'built for this kernel' })),
      ...modules.sources.map((version) => ({ source: `/usr/src/efa-${version}`, value: 'sources for DKMS' })),
    ],
    judge: ({ devices, modules }) => {
      const unbound = devices.efa.filter(({ driver }) => driver !== 'efa');
      if (unbound.length === 0) return pass(`bound to ${count(devices.efa.length, 'device')}`);
      if (unbound.length < devices.efa.length) {
        const names = unbound.map(({ address }) => address).join(', ');
        return { status: 'warn', degrades: true, message: `not bound to ${names}: see dmesg` };
      }
      if (modules.isLoaded('efa'))
        return { status: 'fail', message: 'efa is loaded, but is bound to no device: see dmesg' };
      if (modules.sources.length > 0 && modules.built.length === 0) {
        return {
          status: 'fail',
          message: 'the efa module is not loaded: it was built for another kernel (updated since?)',
          fix: {
            host: ['dkms autoinstall && modprobe efa', 'Or run the EFA installer again.'],
            container: ['On the host: dkms autoinstall && modprobe efa.'],
          },
        };
      }
      return { status: 'fail', message: 'the efa module is not loaded' };
    },
  },
  {
    id: 'MOD-03',
    title: 'The running driver is the installed one',
    layer: 'module',
    dependsOn: ['MOD-02'],
    why: 'An installer that could not unload the old driver leaves it running until the next boot. The driver that comes with the kernel has no version and reaches GPU memory by dmabuf only.',
    fix: {
      host: ['Stop what uses EFA, then reload it: modprobe -r efa && modprobe efa. Or reboot.'],
      container: ['Reboot the host, or reload its efa module.'],
    },
    references: ['https://github.com/amzn/amzn-drivers/tree/master/kernel/linux/efa'],
    probe: (survey) => [
      fileEvidence(survey, '/sys/module/efa/version'),
      { source: survey.installer?.file ?? '/usr/src', value: installedDriver(survey) ?? '(no other is installed)' },
    ],
    judge: (survey) => {
      const { running } = survey.modules;
      const installed = installedDriver(survey);
      if (running === undefined) {
        return info(
          `in-tree driver${installed === undefined ? '' : `, though ${installed} is installed`}: GPU memory by dmabuf only`,
        );
      }
      if (installed === undefined || compareVersions(installed, running) <= 0) return pass(running);
      return { status: 'warn', message: `${running} runs, ${installed} is installed: a reload or reboot is pending` };
    },
  },
];
