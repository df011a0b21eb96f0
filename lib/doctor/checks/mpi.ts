import { info, pass, type Check } from '../check.js';

export const mpiChecks: readonly Check[] = [
  {
    id: 'MPI-01',
    title: 'Open MPI uses libfabric',
    layer: 'mpi',
    dependsOn: [],
    why: "Open MPI reaches EFA through its OFI components (mtl ofi). It never takes libfabric's tcp: without efa it is btl/tcp.",
    fix: {
      host: [
        'Use /opt/amazon/openmpi, which is built with libfabric: source /etc/profile.d/zippy_efa.sh (or efa.sh).',
        'To make sure of it: mpirun --mca pml cm --mca mtl ofi',
      ],
    },
    references: ['https://github.com/open-mpi/ompi/issues/9858', 'https://github.com/open-mpi/ompi/issues/11005'],
    applies: (survey) => survey.hasMpi,
    probe: ({ openmpi }) =>
      openmpi.map(({ folder, component, hasOfi }) => ({
        source: folder,
        value: component ?? (hasOfi === undefined ? 'its libraries are not here' : 'no component for libfabric'),
      })),
    judge: ({ openmpi }) => {
      if (openmpi.length === 0) {
        return info('no Open MPI of the EFA installer; another one has to be built with libfabric');
      }
      const without = openmpi.filter(({ hasOfi }) => hasOfi === false).map(({ folder }) => folder);
      if (without.length > 0) return { status: 'fail', message: `${without.join(', ')}: built without libfabric` };
      return pass(openmpi.map(({ folder }) => folder).join(', '));
    },
  },
];
