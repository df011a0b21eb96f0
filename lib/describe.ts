/** What an interface is, for people: fi_tostr(3). */
import { show } from './errors.js';
import { encodeInfo, type Hints, type InfoLike } from './info.js';
import { INFO_PARTS, rawText } from './text.js';

/** A part of an {@link Info} that has a text of its own. */
export type InfoPart = keyof typeof INFO_PARTS;

/**
 * An interface, or one group of its attributes, as `fi_info -v` prints it: fi_tostr_r(3). `util.inspect` and `console.log`
 * show an {@link Info} and open objects the same way.
 *
 * @param info - From {@link getInfo}, edited or not.
 * @param part - @defaultValue `'info'`, the whole of it
 * @throws TypeError or RangeError for fields that no fi_info has.
 */
export function describe(info: InfoLike | Hints, part: InfoPart = 'info'): string {
  if (!Object.hasOwn(INFO_PARTS, part)) {
    throw new TypeError(`part: ${show(part)} is none of ${Object.keys(INFO_PARTS).join(', ')}`);
  }
  return rawText(encodeInfo(info, 'info'), part);
}
