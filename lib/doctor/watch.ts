/** Whether a command used EFA: what the devices count before and after it. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Host } from './host.js';
import { readDevices } from './survey/devices.js';
import { readTraffic } from './survey/traffic.js';

/** What a command did to the counters. */
export interface Watched {
  /** 128 and the signal where one ended it. */
  readonly exitCode: number;
  /** Bytes by device; undefined where there are no counters. */
  readonly devices: readonly { readonly name: string; readonly bytes: bigint | undefined }[];
  /** Undefined where it cannot be told. */
  readonly usedEfa: boolean | undefined;
  readonly sentence: string;
}

const SIGNAL_EXIT = 128;

/** Runs a command to its end. @throws Error where it cannot be started. */
export async function watch(host: Host, [command, ...args]: readonly string[]): Promise<Watched> {
  const before = new Map(readTraffic(host, readDevices(host)).map(({ name, bytes }) => [name, bytes]));
  const exitCode = await new Promise<number>((done, refuse) => {
    const child = spawn(command!, args, { stdio: 'inherit' });
    // a terminal interrupts both: the answer comes after the command's end all the same
    const stay = (): void => undefined;
    const passOn = (): void => void child.kill('SIGTERM');
    process.on('SIGINT', stay).on('SIGTERM', passOn);
    child.once('error', refuse);
    child.once('close', (code, signal) => {
      process.off('SIGINT', stay).off('SIGTERM', passOn);
      done(code ?? SIGNAL_EXIT + constants.signals[signal!]);
    });
  });
  const moved = readTraffic(host, readDevices(host)).map(({ name, bytes }) => {
    // a device that came meanwhile has counted from nothing
    const earlier = before.has(name) ? before.get(name) : 0n;
    return { name, bytes: bytes === undefined || earlier === undefined ? undefined : bytes - earlier };
  });
  const known = moved.filter(({ bytes }) => bytes !== undefined);
  const total = known.reduce((sum, { bytes }) => sum + bytes!, 0n);
  if (moved.length === 0) {
    return { exitCode, devices: [], usedEfa: false, sentence: 'There is no EFA device: it did not use EFA.' };
  }
  if (known.length === 0) {
    const sentence = 'There are no counters in this network namespace: whether it used EFA cannot be told.';
    return { exitCode, devices: moved, usedEfa: undefined, sentence };
  }
  const sentence =
    total > 0n
      ? `It used EFA: ${total} bytes over ${known.filter(({ bytes }) => bytes! > 0n).length} of ${moved.length} devices.`
      : 'It did not use EFA: not one byte went over any device.';
  return { exitCode, devices: moved, usedEfa: total > 0n, sentence };
}
