/** Writes to the memory of the server through the batch door: the loop of ../reference/rma_write.c. */
import { CompletionBatch, PostBatch, RemoteRegion } from 'node-libfabric';
import { closeEndpoint, meet, openEndpoint } from './fabric.mjs';
import { hear, part, report, say } from './lines.mjs';
import { readOptions } from './options.mjs';
import { fillPattern } from './pattern.mjs';
import { throughput } from './throughput.mjs';

/** How long one read of the queue may wait natively. */
const SPIN_MICROSECONDS = 500;
/** How long what was written may take to be seen, once its completions were read. */
const ARRIVAL_MILLISECONDS = 5000;
const CONTEXT = 1;

const options = readOptions();
const endpoint = openEndpoint(options, 'manual', ['FI_MSG', 'FI_RMA']);
const queue = endpoint.completionQueue;
const batch = new CompletionBatch(64);
const posts = new PostBatch(options.window);
const memory = endpoint.domain.allocate(options.largest);
let posted = 0;
let completed = 0;

function takeCompletions(spin = SPIN_MICROSECONDS) {
  const count = queue.read(batch, spin, posts);
  for (let i = 0; i < count; i++) {
    if (batch.error[i] !== 0) throw new Error(`a write failed: ${queue.strerror(batch.providerError[i] ?? 0)}`);
  }
  completed += count;
}

/**
 * Keeps the window full for so long, and once around at least.
 *
 * @param {number} duration in milliseconds
 * @returns {number} when it ended
 */
function writeFor(duration) {
  const end = performance.now() + duration;
  const fewest = completed + options.window;
  let now;
  do {
    if (posts.isPosted) {
      posts.rewind(options.window - (posted - completed));
      posted = completed + options.window;
    }
    takeCompletions();
    now = performance.now();
  } while (now < end || completed < fewest);
  return now;
}

/** @param {number} size */
function runClient(size) {
  const message = memory.bytes.subarray(0, size);
  posts.clear();
  for (let i = 0; i < options.window; i++) endpoint.postWrite(message, peer, remote, 0, CONTEXT, posts);
  posts.rewind(0);
  const start = writeFor(options.seconds * 500);
  const before = completed;
  const end = writeFor(options.seconds * 1000);
  const result = throughput(size, completed - before, end - start);
  while (completed < posted || !posts.isPosted) takeCompletions();
  return result;
}

/** Until it is there: a completion of a write says that its memory is free again, not that the peer sees it. */
function checkArrival() {
  const expected = Buffer.alloc(options.largest);
  fillPattern(expected, true);
  const end = performance.now() + ARRIVAL_MILLISECONDS;
  while (expected.compare(memory.bytes) !== 0) {
    takeCompletions(0);
    if (performance.now() > end) throw new Error('what was written is not what was sent');
  }
}

if (options.isClient) fillPattern(memory.bytes, true);
const peer = await meet(endpoint, options);
say(JSON.stringify(memory.remote()));
/** @type {import('node-libfabric').RemoteRegionJson} */
const region = JSON.parse(await hear());
const remote = RemoteRegion.fromJSON(region);
const phases = options.isClient ? options.sizes.map(runClient) : [];
await part(() => {
  takeCompletions();
});
if (!options.isClient) checkArrival();
memory.close();
closeEndpoint(endpoint);
report({ phases });
