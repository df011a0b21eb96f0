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
        'Use /opt/amazon/openmpi (source /etc/profile.d/zippy_efa.sh or efa.sh), which is built with libfabric.',
        'To make sure: mpirun --mca pml cm --mca mtl ofi',
      ],
    },
    references: ['https://github.com/open-mpi/ompi/issues/9858', 'https://github.com/open-mpi/ompi/issues/11005'],
    applies: (survey) => survey.hasMpi,
    probe: ({ openmpi, host }) =>
      openmpi.map((folder) => ({
        source: folder,
        value: host.files.exists(`${folder}/bin/mpirun`) ? 'bin/mpirun' : 'without bin/mpirun',
      })),
    judge: ({ openmpi }) =>
      openmpi.length > 0
        ? pass(openmpi.join(', '))
        : info('no Open MPI of the EFA installer; another one has to be built with libfabric'),
  },
];
