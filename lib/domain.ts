/** struct fid_domain. */
import { binding } from './binding.js';
import { check } from './errors.js';
import { Fabric } from './fabric.js';
import { encodeInfo, type Info } from './info.js';
import { argumentHandle, Resource } from './resource.js';

/**
 * An interface of a fabric, with its resources: fi_domain(3). One JavaScript thread owns it; a worker opens its own.
 */
export class Domain extends Resource {
  readonly fabric: Fabric;
  readonly info: Info;

  /**
   * fi_domain(3).
   *
   * @param info - What to open, by default what the fabric was opened with.
   * @throws FabricError when libfabric refuses.
   */
  constructor(fabric: Fabric, info?: Info) {
    const fabricHandle = argumentHandle(fabric, Fabric, 'fabric');
    const wanted = info ?? fabric.info;
    const raw = encodeInfo(wanted, 'info');
    const doing = `cannot open domain ${wanted.domainAttr.name ?? ''} of provider ${wanted.fabricAttr.provName ?? ''}`;
    super(check<number>(binding.domainOpen(fabricHandle, raw), 'fi_domain', doing), binding.domainClose, [fabric]);
    this.fabric = fabric;
    this.info = wanted;
  }
}
