/** What messages cost in memory. Needs --expose-gc. */
import { getHeapStatistics } from 'node:v8';

const heapBytes = () => getHeapStatistics().used_heap_size;

function collectGarbage() {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
}

/** Starts to watch; what it returns says what so many messages have cost since. */
export function watchMemory() {
  collectGarbage();
  const rssBefore = process.memoryUsage.rss();
  const heapBefore = heapBytes();
  /** @param {number} messages */
  return (messages) => {
    // Before the collector has run: what was allocated, whether it is garbage or not.
    const heap = heapBytes() - heapBefore;
    collectGarbage();
    return {
      messages,
      heapBytesPerMessage: heap / messages,
      rssGrowthMegabytes: (process.memoryUsage.rss() - rssBefore) / 1e6,
    };
  };
}
