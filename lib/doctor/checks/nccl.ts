import { pass, type Check } from '../check.js';
import { describeProblem } from '../survey/loader.js';
import { libfabricVersion, type PluginFile } from '../survey/libraries.js';
import { isAtLeast } from '../survey/version.js';

/** Oldest libfabric that a release of the plugin takes. */
export const leastLibfabric = (plugin: string): string => (isAtLeast(plugin, '1.13') ? '1.22' : '1.18');

/** Of the libfabric that a plugin gets. */
const versionFor = (plugin: PluginFile | undefined): string | undefined =>
  libfabricVersion(plugin?.libfabric?.real ?? '');

export const ncclChecks: readonly Check[] = [
  {
    id: 'NCCL-01',
    title: 'NCCL finds the plugin',
    layer: 'nccl',
    dependsOn: [],
    why: 'NCCL reaches libfabric through aws-ofi-nccl only. Without it NCCL takes NET/Socket, which is TCP, and says so in one line.',
    fix: {
      host: [
        'On the path: echo /opt/amazon/ofi-nccl/lib > /etc/ld.so.conf.d/100_ofinccl.conf && ldconfig',
        'Where there is no plugin at all: EFA installer 1.37 or newer brings it.',
        'NCCL_NET=Libfabric makes a missing plugin an error instead of a slow run (before plugin 1.17: "AWS Libfabric").',
      ],
      container: [
        'In the image: EFA installer 1.37 or newer with --skip-kmod.',
        'In the image: /opt/amazon/ofi-nccl/lib in ld.so.conf.d (and ldconfig) or in LD_LIBRARY_PATH.',
        'pyxis: --container-env=LD_LIBRARY_PATH, since otherwise the value of the image wins.',
        'In images of NGC: remove the stale /opt/amazon/aws-ofi-nccl.',
      ],
    },
    references: ['https://github.com/NVIDIA-NeMo/RL/issues/1973', 'https://github.com/NVIDIA-NeMo/RL/issues/2585'],
    applies: (survey) => survey.hasNccl,
    probe: ({ plugins, environment }) => [
      ...(environment['NCCL_NET_PLUGIN'] === undefined
        ? []
        : [{ source: 'NCCL_NET_PLUGIN', value: environment['NCCL_NET_PLUGIN'] }]),
      ...plugins.map(({ path, isOnPath, version }) => ({
        source: path,
        value: `${version ?? 'version unknown'}, ${isOnPath ? 'found by NCCL' : 'not on the path'}`,
      })),
    ],
    judge: ({ plugins, environment }) => {
      if (environment['NCCL_NET_PLUGIN'] === 'none')
        return { status: 'fail', message: 'NCCL_NET_PLUGIN=none turns the plugin off' };
      const found = plugins.filter(({ isOnPath }) => isOnPath);
      if (found.length === 0) {
        const [hidden] = plugins;
        return {
          status: 'fail',
          message:
            hidden === undefined ? 'there is no aws-ofi-nccl plugin' : `${hidden.path} is not on the loader's path`,
        };
      }
      if (plugins.length > 1) {
        const others = plugins.filter((plugin) => plugin !== found[0]).map(({ path }) => path);
        return { status: 'warn', message: `${found[0]!.path} is taken; also there: ${others.join(', ')}` };
      }
      return pass(`${found[0]!.path}${found[0]!.version === undefined ? '' : ` (${found[0]!.version})`}`);
    },
  },
  {
    id: 'NCCL-02',
    title: 'The plugin loads with this libfabric',
    layer: 'nccl',
    dependsOn: ['NCCL-01'],
    why: 'A plugin built for a newer libfabric or glibc is not loaded, and NCCL takes TCP. Libraries mounted from a newer host do that.',
    fix: {
      host: ['Take libfabric and plugin from one EFA installer.'],
      container: ["Do not mount the plugin of the host: install it in the image, with the image's own EFA installer."],
    },
    references: ['https://github.com/awslabs/awsome-distributed-ai/issues/292'],
    applies: (survey) => survey.hasNccl,
    probe: ({ plugins }) => {
      const plugin = plugins.find(({ isOnPath }) => isOnPath);
      return [
        { source: plugin?.path ?? 'plugin', value: plugin?.version ?? '(version unknown)' },
        { source: plugin?.libfabric?.path ?? 'libfabric', value: versionFor(plugin) ?? '(unknown)' },
        ...(plugin?.problems ?? []).map((problem) => ({ source: problem.by, value: describeProblem(problem) })),
      ];
    },
    judge: ({ plugins }) => {
      const plugin = plugins.find(({ isOnPath }) => isOnPath)!;
      const [problem] = plugin.problems;
      if (problem !== undefined) return { status: 'fail', message: describeProblem(problem) };
      const version = versionFor(plugin);
      if (plugin.version !== undefined && version !== undefined) {
        const least = leastLibfabric(plugin.version);
        if (!isAtLeast(version, least)) {
          return { status: 'fail', message: `plugin ${plugin.version} wants libfabric ${least}, it gets ${version}` };
        }
      }
      return pass('it does');
    },
  },
];
