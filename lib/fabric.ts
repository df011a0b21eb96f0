/** struct fid_fabric. */
import { binding } from './binding.js';
import { check } from './errors.js';
import { encodeInfo, type Info } from './info.js';
import { requireLibrary } from './library.js';
import { Resource } from './resource.js';

/** A network of one provider: fi_fabric(3). Domains are opened from it. */
export class Fabric extends Resource {
  readonly info: Info;

  /**
   * fi_fabric(3).
   *
   * @param info - From {@link getInfo} or {@link select}.
   * @throws FabricError when libfabric refuses.
   */
  constructor(info: Info) {
    const raw = encodeInfo(info, 'info');
    requireLibrary();
    const doing = `cannot open fabric ${info.fabricAttr.name ?? ''} of provider ${info.fabricAttr.provName ?? ''}`;
    super(check<number>(binding.fabricOpen(raw), 'fi_fabric', doing), binding.fabricClose);
    this.info = info;
  }
}
