/** struct fid_fabric. */
import { binding } from './binding.js';
import { check } from './errors.js';
import { readInfo, type Info, type InfoLike, type ReadInfo } from './info.js';
import { requireLibrary } from './library.js';
import { Resource } from './resource.js';

/** A network of one provider: fi_fabric(3). Domains are opened from it. */
export class Fabric extends Resource {
  readonly info: Info;
  /** @internal What it was opened with, for what is opened from it. */
  readonly opened: ReadInfo;

  /**
   * fi_fabric(3).
   *
   * @param info - From {@link getInfo} or {@link select}.
   * @throws FabricError when libfabric refuses.
   */
  constructor(info: InfoLike) {
    const opened = readInfo(info);
    const { wanted, raw } = opened;
    requireLibrary();
    const { name = '', provName = '' } = wanted.fabricAttr;
    const doing = `cannot open fabric ${name} of provider ${provName}`;
    super(check<number>(binding.fabricOpen(raw), 'fi_fabric', doing), binding.fabricClose);
    this.info = wanted;
    this.opened = opened;
  }
}
