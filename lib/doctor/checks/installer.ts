import { info, pass, type Check } from '../check.js';
import { RECORDS } from '../survey/installer.js';
import { compareVersions } from '../survey/version.js';

/** Since when p5 and later are served well. */
const LEAST_FOR_P5 = '1.30';

export const installerChecks: readonly Check[] = [
  {
    id: 'INST-01',
    title: 'What the EFA installer installed',
    layer: 'installer',
    dependsOn: [],
    why: 'The installer records its version and packages. Without the record EFA may have come by packages or an image: no fault.',
    fix: {
      host: ['Get the current installer: https://efa-installer.amazonaws.com/aws-efa-installer-latest.tar.gz'],
      container: ['In the image: the current installer with --skip-kmod; on the host: the current installer.'],
    },
    references: ['https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-changelog.html'],
    probe: ({ installer }) =>
      installer === undefined
        ? [{ source: RECORDS[0]!, value: '(absent)' }]
        : [
            {
              source: installer.file,
              value: `${installer.version ?? 'no version'}, ${installer.packages.length} packages`,
            },
          ],
    judge: ({ installer, identity }) => {
      if (installer === undefined) return info('no record: not installed by the EFA installer');
      const { version, roles, isMinimal, packages } = installer;
      if (packages.length === 0)
        return { status: 'warn', message: `${installer.file} names no package: is it cut short?` };
      if (isMinimal)
        return info(`${version ?? '?'} with --minimal: driver and rdma-core only, no libfabric, MPI or plugin`);
      if (
        version !== undefined &&
        /^p[56]/.test(identity.instanceType ?? '') &&
        compareVersions(version, LEAST_FOR_P5) < 0
      ) {
        return { status: 'warn', message: `${version} is older than ${LEAST_FOR_P5}, which this type wants` };
      }
      if (roles.driver === undefined && identity.container === undefined) {
        return info(`${version ?? '?'} without the driver (--skip-kmod), which is for images`);
      }
      return pass(`installer ${version ?? 'of unknown version'}`);
    },
  },
];
