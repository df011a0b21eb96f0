/** Numbers and sizes for people. */

/** Bytes with the power of 1024 that they are a multiple of. @param {number} bytes */
export function formatSize(bytes) {
  for (const [unit, factor] of /** @type {const} */ ([
    ['MiB', 1 << 20],
    ['KiB', 1 << 10],
  ])) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor} ${unit}`;
  }
  return `${bytes} B`;
}

/** Three digits that count; thousands as such. @param {number} value @returns {string} */
export function formatNumber(value) {
  if (!Number.isFinite(value)) return '-';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6) return `${formatNumber(value / 1e6)} M`;
  if (magnitude >= 1e4) return `${formatNumber(value / 1e3)} k`;
  if (magnitude >= 100) return value.toFixed(0);
  if (magnitude >= 10) return value.toFixed(1);
  if (magnitude >= 0.1 || magnitude === 0) return value.toFixed(2);
  return value.toFixed(3);
}

/** A figure that an axis names: without digits that say nothing. @param {number} value @returns {string} */
export function formatTick(value) {
  if (value >= 1e6) return `${formatTick(value / 1e6)} M`;
  if (value >= 1e3) return `${formatTick(value / 1e3)} k`;
  return String(Number(value.toPrecision(3)));
}
