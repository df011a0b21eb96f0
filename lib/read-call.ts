/** How a read of the batch door calls the native side: through memory, since Node-API takes longer for each argument. */
import { binding } from './binding.js';

// struct ReadCall of native/environment.h: queue, batch, posts, result, and nanoseconds to spin
const bytes = new ArrayBuffer(24);
const integers = new Int32Array(bytes, 0, 4);
const spin = new Float64Array(bytes, 16, 1);
binding.completionQueueReadCall(bytes);

// A constant of its own, which V8 calls without a look at the many properties of the binding.
const { completionQueueRead } = binding;

/**
 * Posts what is in `posts` (a PostBatch's memory, -1: nothing), then reads completions into `batch` (a CompletionBatch's).
 *
 * @returns how many entries were filled, or a negative code; PROMISES_WAITING and POST_REFUSED are bits of it.
 */
export function postAndRead(queue: number, batch: number, spinNanoseconds: number, posts: number): number {
  integers[0] = queue;
  integers[1] = batch;
  integers[2] = posts;
  spin[0] = spinNanoseconds;
  completionQueueRead();
  return integers[3]!;
}
