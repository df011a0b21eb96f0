/** What moves the data of a phase, through the batch door: one set of loops for messages with and without tags. */
import type { PostBatch } from '../index.js';
import type { Stream } from './link.js';
import type { Operation } from './protocol.js';

const DATA_TAG = 1;
const ACKNOWLEDGEMENT_TAG = 2;

/** Posts a send or a receive of a buffer, or writes it down in a PostBatch; false when the provider is full. */
export type Post = (buffer: Buffer, context: number, posts?: PostBatch) => boolean;

/** The posts of one stream. */
export interface Posts {
  sendData: Post;
  receiveData: Post;
  /** Of the small messages that acknowledge a window. */
  sendAcknowledgement: Post;
  receiveAcknowledgement: Post;
}

/** How a stream posts what the session's operation moves. */
export function postsOf({ endpoint, peer }: Stream, operation: Operation): Posts {
  if (operation !== 'tagged') {
    const send: Post = (buffer, context, posts) => endpoint.postSend(buffer, peer, context, posts);
    const receive: Post = (buffer, context, posts) => endpoint.postRecv(buffer, context, undefined, posts);
    return { sendData: send, receiveData: receive, sendAcknowledgement: send, receiveAcknowledgement: receive };
  }
  const send =
    (tag: number): Post =>
    (buffer, context, posts) =>
      endpoint.postTsend(buffer, peer, tag, context, posts);
  const receive =
    (tag: number): Post =>
    (buffer, context, posts) =>
      endpoint.postTrecv(buffer, tag, 0, context, undefined, posts);
  return {
    sendData: send(DATA_TAG),
    receiveData: receive(DATA_TAG),
    sendAcknowledgement: send(ACKNOWLEDGEMENT_TAG),
    receiveAcknowledgement: receive(ACKNOWLEDGEMENT_TAG),
  };
}

/** Whether only one end takes part: the other end's memory is written or read, and its program sees nothing of it. */
export const isOneSided = (operation: Operation): boolean => operation === 'write' || operation === 'read';

/** Whether memory of the other end is needed. */
export const needsMemory = (operation: Operation): boolean => isOneSided(operation) || operation === 'writedata';

/** Whether messages of this size go as C's benchmarks send them: injected, without a completion. */
export function injects({ endpoint }: Stream, operation: Operation, size: number): boolean {
  const { provName = '' } = endpoint.info.fabricAttr;
  // rxd loses what is injected faster than it sends.
  return operation === 'msg' && size <= endpoint.info.txAttr.injectSize && !provName.endsWith(';ofi_rxd');
}
