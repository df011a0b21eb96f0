import { dscpOfTrafficClass, TRAFFIC_CLASSES, trafficClassOfDscp } from 'node-libfabric';
import { describe, expect, it } from 'vitest';

describe('trafficClassOfDscp', () => {
  it('is read back by dscpOfTrafficClass', () => {
    for (let dscp = 0; dscp < 64; dscp++) expect(dscpOfTrafficClass(trafficClassOfDscp(dscp))).toBe(dscp);
  });

  it('makes classes apart from the named ones', () => {
    for (const value of Object.values(TRAFFIC_CLASSES)) {
      if (value !== TRAFFIC_CLASSES.FI_TC_DSCP) expect(dscpOfTrafficClass(value)).toBeUndefined();
    }
  });

  it('refuses what is no code point', () => {
    for (const dscp of [-1, 64, 1.5, '1']) expect(() => trafficClassOfDscp(dscp as never)).toThrow(/dscp: expected/);
    expect(() => dscpOfTrafficClass(2 ** 32)).toThrow(RangeError);
  });
});
