/** What messages cost in memory. */
import { getHeapStatistics } from 'node:v8';

/** Garbage that nobody has collected yet is no growth: collected first, where node was started with --expose-gc. */
function residentBytes() {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

const heapBytes = () => getHeapStatistics().used_heap_size;

/**
 * Starts to watch; what it returns says what so many messages have cost since. Whoever asks for allocations starts node with
 * a heap in which the collector does not have to run, and leaves it alone: much is compiled again after it has run.
 */
export function watchMemory() {
  // The first look allocates more than those that follow.
  heapBytes();
  const rssBefore = residentBytes();
  const heapBefore = heapBytes();
  /** @param {number} messages */
  return (messages) => ({
    messages,
    heapBytesPerMessage: (heapBytes() - heapBefore) / messages,
    rssGrowthMegabytes: (residentBytes() - rssBefore) / 1e6,
  });
}
