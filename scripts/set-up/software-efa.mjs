import { existsSync } from 'node:fs';
import { run } from './run.mjs';
import { stamped } from './stamped.mjs';

const folder = 'build/softefa';

/** The header of libibverbs that the device implements. */
export const efaHeader = '/usr/include/infiniband/efadv.h';

/** The device of test/softefa, as the libraries that libfabric's efa provider loads. */
export const softwareEfa = stamped({
  title: 'compiling the software EFA device',
  name: 'softefa',
  inputs: ['test/softefa'],
  environment: () => String(existsSync(efaHeader)),
  outputs: () => ['libibverbs.so.1', 'libefa.so.1', 'librdmacm.so.1'].map((name) => `${folder}/${name}`),
  make: () => run('test/softefa did not compile', ['test/softefa/build.sh', folder]),
});
