/** How a read of the batch door calls the native side: through memory, since Node-API takes longer for each argument. */
import { binding } from './binding.js';

// struct ReadCall of native/environment.h
const bytes = new ArrayBuffer(24);
/** Handles, and what the call has answered. */
export const integers = new Int32Array(bytes, 0, 4);
/** The queue, the memory of a CompletionBatch, that of a PostBatch (-1: none), … */
export const [QUEUE, BATCH, POSTS] = [0, 1, 2] as const;
/** … and how many entries were filled, or a negative code; PROMISES_WAITING and POST_REFUSED are bits of it. */
export const RESULT = 3;
/** In nanoseconds. */
export const spin = new Float64Array(bytes, 16, 1);
binding.completionQueueReadCall(bytes);

/** A constant of its own, which V8 calls without a look at the many properties of the binding. */
export const { completionQueueRead } = binding;
