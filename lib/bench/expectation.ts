/** Where a measured bandwidth stands: as EFA of this instance type, as TCP, or suspicious. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sysfs } from '../sysfs.js';
import { EFA_INSTANCES, INSTANCES_DATE } from '../data/efa-instances.js';
import type { PingpongResult } from './result.js';

/** What to think of a bandwidth. */
export interface Expectation {
  verdict: 'typical' | 'suspicious';
  /** One sentence, and what to do next where something is wrong. */
  message: string;
}

/**
 * What one TCP flow gets between EC2 instances, in Gbit/s: 5, and 10 in one cluster placement group ("Amazon EC2 instance
 * network bandwidth" in the EC2 user guide, 2026-08).
 */
const TCP_FLOW_GIGABITS = 10;
/** Of the rate of a device: below it, something is in the way. */
const LEAST_OF_EFA = 0.25;
/** Of the rate of an interface, over which all sorts of software goes. */
const LEAST_OF_LINK = 0.25;
/** Smaller messages than this do not fill a network. */
const LEAST_SIZE = 65_536;

/**
 * Judges the best bandwidth of large messages in one direction: by the instance type, or by what the interface says of its
 * cable. Undefined where nothing is known, with both ends on one host, and without large messages.
 */
export function judgeBandwidth(
  { provider, client, server, measurements }: Pick<PingpongResult, 'provider' | 'client' | 'server' | 'measurements'>,
  sys = sysfs(),
): Expectation | undefined {
  const instance = EFA_INSTANCES.get(readText(join(sys, 'devices/virtual/dmi/id/product_name')));
  const rates = measurements
    .filter(({ size }) => size >= LEAST_SIZE)
    .flatMap(({ bandwidth, bidirectional }) => [
      ...(bandwidth ? [bandwidth.megabytesPerSecond] : []),
      ...(bidirectional ? [bidirectional.megabytesPerSecond / 2] : []),
    ]);
  if (rates.length === 0 || client.host === server.host) return undefined;
  const gigabits = (Math.max(...rates) * 8) / 1000;
  if (instance === undefined) return judgeByLink(gigabits, client.domain, sys);
  const { instanceType, efaDevices, gigabitsPerSecond } = instance;
  const device = gigabitsPerSecond / efaDevices;
  const measured = `${gigabits.toFixed(1)} Gbit/s`;
  const known = `an EFA device of ${instanceType} has ${device} Gbit/s (${INSTANCES_DATE})`;
  if (provider === 'efa') {
    if (gigabits >= device * LEAST_OF_EFA)
      return { verdict: 'typical', message: `${measured} is typical of EFA: ${known}` };
    return {
      verdict: 'suspicious',
      message: `${measured} is little for EFA: ${known}; run fabric-doctor on both ends`,
    };
  }
  const isFlow = gigabits <= TCP_FLOW_GIGABITS;
  const what = isFlow ? 'typical of one TCP flow, not of EFA' : `more than one TCP flow gets here, and not EFA`;
  return {
    verdict: isFlow ? 'typical' : 'suspicious',
    message: `${measured} over ${provider} is ${what}: ${known}; fabric-doctor says why efa is not used`,
  };
}

/** Elsewhere than on EC2 the interface says how fast its cable is. */
function judgeByLink(gigabits: number, domain: string, sys: string): Expectation | undefined {
  const link = Number(readText(join(sys, 'class/net', domain, 'speed'))) / 1000;
  if (!(link > 0)) return undefined;
  const share = `${gigabits.toFixed(1)} Gbit/s is ${((100 * gigabits) / link).toFixed(0)} % of the ${link} Gbit/s of ${domain}`;
  if (gigabits >= link * LEAST_OF_LINK) return { verdict: 'typical', message: share };
  return {
    verdict: 'suspicious',
    message: `${share}; --streams 4 shows whether one flow is the limit, fabric-doctor what else`,
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    return '';
  }
}
