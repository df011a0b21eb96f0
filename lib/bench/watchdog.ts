/** Ends a program whose event loop stands still inside libfabric, where no deadline of JavaScript reaches. */
import { binding } from '../binding.js';

/** How often it hears that the event loop turns. */
const FEEDING_MILLISECONDS = 100;

const MESSAGE =
  'stalled: libfabric has not returned, so nothing else could be done; the other end may have been stopped or killed ' +
  'while it held a lock of shared memory. -p net has no such locks.\n';

/**
 * Watches from a thread until it is disposed of: when the event loop has not turned for `silence` milliseconds, the process writes one sentence to stderr and ends with `exitCode`, without any clean-up. For programs: nothing
 * that is only a part of a process should end it.
 */
export function watchEventLoop(silence: number, program: string, exitCode: number): Disposable {
  const feed = (): void => {
    binding.watchdogFeed(silence, `${program}: ${MESSAGE}`, exitCode);
  };
  feed();
  const timer = setInterval(feed, FEEDING_MILLISECONDS).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      binding.watchdogFeed(0, '', 0);
    },
  };
}
