/** What is wanted, by kind: a ratio where there is a reference, else a figure. */

/** @typedef {import('./suite/types.js').Target} Target */

/**
 * Half a round trip of 64 bytes; for comparison only where nothing is wanted.
 *
 * @param {string} subject
 * @param {string} reference
 * @param {number} [atMost]
 * @returns {Target}
 */
export const latency = (subject, reference, atMost) => ({
  what: '64 B half round trip',
  subject,
  reference,
  figure: 'p50',
  unit: 'µs',
  ...(atMost !== undefined && { atMost }),
});

/**
 * The same as a mean, which is all that somebody else's program knows; for comparison only.
 *
 * @param {string} subject
 * @param {string} reference
 * @returns {Target}
 */
export const meanLatency = (subject, reference) => ({
  what: '64 B half round trip, mean',
  subject,
  reference,
  figure: 'mean',
  unit: 'µs',
});

/** The C loop may not be slower than somebody else's: it would be easy to be as fast. @type {Target} */
export const honestReference = { ...meanLatency('C', 'fi_pingpong'), atMost: 1.1 };

/**
 * @param {string} subject
 * @param {string} what
 * @returns {Target}
 */
export const bandwidth = (subject, what) => ({
  what,
  subject,
  reference: 'C',
  figure: 'megabytesPerSecond',
  unit: 'MB/s',
  atLeast: 0.97,
});

/**
 * @param {string} subject
 * @param {string} reference
 * @param {number} [atLeast]
 * @returns {Target}
 */
export const rate = (subject, reference, atLeast) => ({
  what: '8 B message rate',
  subject,
  reference,
  figure: 'messagesPerSecond',
  unit: '/s',
  ...(atLeast !== undefined && { atLeast }),
});

/**
 * Looking at the heap allocates a little by itself, and compiling too: the limit allows for that, spread over the messages.
 *
 * @param {string} subject
 * @returns {Target}
 */
export const allocation = (subject) => ({
  what: 'heap allocation a message',
  subject,
  figure: 'heapBytesPerMessage',
  unit: 'B',
  atMost: 0.05,
});

/** @param {string} subject @returns {Target} */
export const growth = (subject) => ({
  what: 'RSS growth over 10 million messages',
  subject,
  figure: 'rssGrowthMegabytes',
  unit: 'MB',
  atMost: 5,
});

/** @param {string} subject @returns {Target} */
export const idle = (subject) => ({
  what: 'CPU of an idle endpoint',
  subject,
  figure: 'cpuPercent',
  unit: '% of a core',
  atMost: 0.5,
});

/** @type {Target} */
export const eventLoopDelay = {
  what: 'event-loop delay, p99',
  subject: 'await',
  figure: 'p99',
  unit: 'ms',
  atMost: 5,
};

/** Without it the delay says nothing. @type {Target} */
export const gigabyte = {
  what: 'what flows meanwhile',
  subject: 'await',
  figure: 'megabytesPerSecond',
  unit: 'MB/s',
  atLeast: 900,
};

/** @param {string} what endpoint or set @returns {Target} */
export const opening = (what) => ({
  what: `open and close, ${what}`,
  subject: 'JavaScript',
  reference: 'C',
  figure: 'p50',
  unit: 'µs',
  atMost: 1.2,
});

/** For planning: nothing is wanted. @type {Target[]} */
export const ENDPOINT_FOOTPRINT = [
  { what: 'memory of an endpoint', subject: 'JavaScript', figure: 'kilobytesPerEndpoint', unit: 'kB' },
  { what: 'file descriptors of an endpoint', subject: 'JavaScript', figure: 'descriptorsPerEndpoint', unit: '' },
  { what: 'memory of a connection, each end', subject: 'JavaScript', figure: 'kilobytesPerConnection', unit: 'kB' },
  {
    what: 'file descriptors of a connection, each end',
    subject: 'JavaScript',
    figure: 'descriptorsPerConnection',
    unit: '',
  },
];

/** @type {Target[]} */
export const PEER_FOOTPRINT = [
  { what: 'memory of a known peer', subject: 'JavaScript', figure: 'bytesPerPeer', unit: 'B' },
  { what: 'inserting a peer', subject: 'JavaScript', figure: 'microsecondsPerInsert', unit: 'µs' },
];
