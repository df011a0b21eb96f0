/** Traffic classes of the network's own: fi_endpoint(3), "tclass". */
import { binding } from './binding.js';
import { show } from './errors.js';

const LARGEST_DSCP = 63;
const DSCP_BIT = 0x100;

/**
 * The traffic class that asks for a differentiated services code point, for `tclass` of hints: fi_tc_dscp_set(3).
 *
 * @param dscp - From 0 to 63, as RFC 2474 has it.
 */
export function trafficClassOfDscp(dscp: number): number {
  if (Number.isInteger(dscp) && dscp >= 0 && dscp <= LARGEST_DSCP) return binding.trafficClassOfDscp(dscp);
  throw new RangeError(`dscp: expected an integer from 0 to ${LARGEST_DSCP}, not ${show(dscp)}`);
}

/** The code point of a traffic class that has one, else undefined: fi_tc_dscp_get(3). */
export function dscpOfTrafficClass(trafficClass: number): number | undefined {
  if (!Number.isInteger(trafficClass) || trafficClass < 0 || trafficClass >= 2 ** 32) {
    throw new RangeError(`trafficClass: expected an unsigned 32-bit integer, not ${show(trafficClass)}`);
  }
  return (trafficClass & DSCP_BIT) === 0 ? undefined : binding.dscpOfTrafficClass(trafficClass);
}
