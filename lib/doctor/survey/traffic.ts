/** What EFA devices have sent and received. */
import type { Host } from '../host.js';
import { RDMA, type Devices } from './devices.js';

/** The count of a device. */
export interface Traffic {
  readonly name: string;
  readonly file: string;
  /** Sent and received since the driver was loaded; undefined without counters. */
  readonly bytes: bigint | undefined;
}

/** Reads the counters as they are now. */
export function readTraffic({ files }: Host, devices: Devices): Traffic[] {
  return devices.rdma
    .filter(({ isEfa }) => isEfa)
    .map(({ name }) => {
      const file = `${RDMA}/${name}/ports/1/hw_counters`;
      const [sent, received] = ['tx_bytes', 'rx_bytes'].map((counter) => files.text(`${file}/${counter}`));
      const isNumber = (text: string | undefined): text is string => /^\d{1,20}$/.test(text ?? '');
      return { name, file, bytes: isNumber(sent) && isNumber(received) ? BigInt(sent) + BigInt(received) : undefined };
    });
}
