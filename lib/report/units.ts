/** What bandwidth is shown in: 10⁶ bytes a second, 2²⁰ bytes a second, or 10⁹ bits a second. */
export const UNITS = ['MB', 'MiB', 'Gb'] as const;

/** One of them. */
export type Units = (typeof UNITS)[number];

const OF_MEGABYTES: Record<Units, number> = { MB: 1, MiB: 1e6 / 2 ** 20, Gb: 8 / 1000 };

/** Bandwidth in a unit, which is `${units}/s`. */
export const bandwidthIn = (units: Units, megabytesPerSecond: number): number =>
  megabytesPerSecond * OF_MEGABYTES[units];

/** `1.07 GB`: bytes for people, in powers of 1000. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), names.length - 1);
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 2)} ${names[power]}`;
}
