/** How fast messages went. */

/**
 * @param {number} size bytes of a message
 * @param {number} messages
 * @param {number} elapsed milliseconds that they took together
 */
export function throughput(size, messages, elapsed) {
  return {
    size,
    messages,
    seconds: elapsed / 1000,
    messagesPerSecond: (messages / elapsed) * 1000,
    megabytesPerSecond: (messages * size) / elapsed / 1000,
  };
}
