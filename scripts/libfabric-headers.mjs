// Where libfabric's headers are. Run directly it prints the folder, which is how CMakeLists.txt
// and binding.gyp ask; part of the npm package for the latter's sake.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Prefixes under which libfabric is looked for: the user's own choice, the EFA installer's place, the system's. */
export const prefixes = ['/opt/amazon/efa', '/usr', '/usr/local'];
const ownChoice = process.env['LIBFABRIC_ROOT'];
if (ownChoice !== undefined && ownChoice !== '') prefixes.unshift(ownChoice);

/** @returns {string | undefined} the folder that holds `rdma/fabric.h` */
export function findLibfabricHeaders() {
  return prefixes.map((prefix) => join(prefix, 'include')).find((folder) => existsSync(join(folder, 'rdma/fabric.h')));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = findLibfabricHeaders();
  if (folder === undefined) {
    process.stderr.write(
      'rdma/fabric.h was not found: install libfabric-dev (apt) or libfabric-devel (dnf), or set LIBFABRIC_ROOT to the prefix libfabric is installed under.\n',
    );
    process.exitCode = 1;
  } else {
    process.stdout.write(`${folder}\n`);
  }
}
