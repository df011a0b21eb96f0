/** @internal Where the kernel shows its devices: for libibverbs and libfabric too, which take another place from SYSFS_PATH. */
export const sysfs = (): string => process.env['SYSFS_PATH'] ?? '/sys';
