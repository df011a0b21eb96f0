/** What messages cost in memory. */
import { getHeapStatistics } from 'node:v8';

const heapBytes = () => getHeapStatistics().used_heap_size;

/**
 * Starts to watch; what it returns says what so many messages have cost since. The collector is left alone: much is compiled
 * again after it has run. Whoever asks for allocations starts node with a heap in which it does not have to run.
 */
export function watchMemory() {
  // The first look allocates more than those that follow.
  heapBytes();
  const rssBefore = process.memoryUsage.rss();
  const heapBefore = heapBytes();
  /** @param {number} messages */
  return (messages) => ({
    messages,
    heapBytesPerMessage: (heapBytes() - heapBefore) / messages,
    rssGrowthMegabytes: (process.memoryUsage.rss() - rssBefore) / 1e6,
  });
}
