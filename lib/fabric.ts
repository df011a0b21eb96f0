/** struct fid_fabric. */
import { binding } from './binding.js';
import { check } from './errors.js';
import { readInfo, type Info, type InfoLike } from './info.js';
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
  constructor(info: InfoLike) {
    const { wanted, raw } = readInfo(info);
    requireLibrary();
    const { name = '', provName = '' } = wanted.fabricAttr;
    const doing = `cannot open fabric ${name} of provider ${provName}`;
    super(check<number>(binding.fabricOpen(raw), 'fi_fabric', doing), binding.fabricClose);
    this.info = wanted;
  }
}
