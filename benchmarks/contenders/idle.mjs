/**
 * What an endpoint costs while nothing happens: `--what nothing` is outstanding on it, or `--what receive` waits, on an
 * endpoint that has been used.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { closeEndpoint, meet, openEndpoint } from './fabric.mjs';
import { part, report } from './lines.mjs';
import { readOptions } from './options.mjs';

const ROUND_TRIPS = 100;
/** Until what traffic has set in motion has come to rest. */
const SETTLE_MILLISECONDS = 500;

const options = readOptions();
const endpoint = openEndpoint(options, 'auto');
const message = Buffer.alloc(64);
const peer = await meet(endpoint, options);

if (options.what === 'receive') {
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const answer = endpoint.recv(message);
    if (options.isClient) await endpoint.send(message, peer);
    await answer;
    if (!options.isClient) await endpoint.send(message, peer);
  }
  // Nothing comes: closing the endpoint ends it.
  endpoint.recv(message).catch(() => undefined);
}

await delay(SETTLE_MILLISECONDS);
const start = performance.now();
const before = process.cpuUsage();
await delay(options.seconds * 1000);
const { user, system } = process.cpuUsage(before);
const elapsed = (performance.now() - start) * 1000;
await part();
closeEndpoint(endpoint);
report({ phases: [{ cpuPercent: ((user + system) / elapsed) * 100 }] });
