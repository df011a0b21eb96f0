import { count, pass, type Check } from '../check.js';

/** Looks back at what the others have read, so it comes last. */
export const fileChecks: readonly Check[] = [
  {
    id: 'HOST-03',
    title: 'Every file could be read',
    layer: 'host',
    dependsOn: [],
    why: 'A file that is damaged, endless, a loop of links or not permitted makes other answers uncertain.',
    fix: { host: ['Run as root where permissions are missing; take the bundle again where files are damaged.'] },
    references: [],
    probe: ({ host }) => [...host.files.troubles].map(([source, value]) => ({ source, value })),
    judge: (_survey, evidence) =>
      evidence.length === 0
        ? pass('all of them')
        : {
            status: 'warn',
            message: `${count(evidence.length, 'file')} could not be read as expected, first ${evidence[0]!.source}: ${evidence[0]!.value}`,
          },
  },
];
