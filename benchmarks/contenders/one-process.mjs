/**
 * Ping-pong of two endpoints of one process, so many messages and no clock: for the profile, which counts instructions.
 * `--what batch` or `await`; ../reference/one_process.c is the same in C.
 */
import { CompletionBatch, Endpoint, PostBatch } from 'node-libfabric';
import { chooseInterface } from './fabric.mjs';
import { readOptions } from './options.mjs';

const CONTEXT = 1;
const SPIN_MICROSECONDS = 500;

const options = readOptions();
const info = chooseInterface(options);
const progress = options.what === 'await' ? 'auto' : 'manual';
const outgoing = Buffer.alloc(options.largest);

/** @param {Endpoint} endpoint @param {Endpoint} other */
function makeEnd(endpoint, other) {
  return { endpoint, peer: endpoint.addressVector.insert(other.address), incoming: Buffer.alloc(options.largest) };
}

/** @typedef {ReturnType<typeof makeEnd>} End */

/** @param {End} end */
function batchEnd({ endpoint, peer, incoming }) {
  const queue = endpoint.completionQueue;
  const batch = new CompletionBatch(64);
  const posts = new PostBatch(2);
  endpoint.postRecv(incoming, CONTEXT);
  endpoint.postInject(outgoing, peer, posts);
  endpoint.postRecv(incoming, CONTEXT, undefined, posts);
  posts.rewind(0);
  return {
    /** @param {() => void} progressOther the first message takes both ends */
    send: (progressOther) => {
      posts.rewind();
      queue.read(batch, 0, posts);
      while (!posts.isPosted) {
        progressOther();
        queue.read(batch, 0, posts);
      }
    },
    receive: () => {
      while (queue.read(batch, SPIN_MICROSECONDS) === 0);
    },
    progress: () => {
      queue.read(batch, 0);
    },
  };
}

/** @param {End} first @param {End} second */
function runBatch(first, second) {
  const [one, other] = [batchEnd(first), batchEnd(second)];
  for (let i = 0; i < options.messages; i += 2) {
    one.send(other.progress);
    other.receive();
    other.send(one.progress);
    one.receive();
  }
}

/** @param {End} from @param {End} to */
async function move(from, to) {
  const received = to.endpoint.recv(to.incoming);
  await from.endpoint.send(outgoing, from.peer);
  await received;
}

/** @param {End} first @param {End} second */
async function runAwait(first, second) {
  for (let i = 0; i < options.messages; i += 2) {
    await move(first, second);
    await move(second, first);
  }
}

const [one, other] = [Endpoint.open(info, { progress }), Endpoint.open(info, { progress })];
const [first, second] = [makeEnd(one, other), makeEnd(other, one)];
if (options.what === 'await') await runAwait(first, second);
else runBatch(first, second);
process.exit();
