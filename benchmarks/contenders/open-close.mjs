/**
 * How long it takes to open an endpoint and close it again, over and over, as ../reference/open_close.c does: `--what
 * endpoint` alone, in a domain that stays open, or `--what set` with fabric, domain, queues and address vector.
 */
import { AddressVector, CompletionQueue, Domain, Endpoint, Fabric } from 'node-libfabric';
import { chooseInterface } from './fabric.mjs';
import { report } from './lines.mjs';
import { readOptions } from './options.mjs';
import { samples, summarize } from './samples.mjs';

const options = readOptions();
const info = chooseInterface(options);

function makeEndpointRun() {
  const domain = new Domain(new Fabric(info));
  const bindings = { completionQueue: new CompletionQueue(domain), addressVector: new AddressVector(domain) };
  return () => {
    new Endpoint(domain, bindings).close();
  };
}

const run =
  options.what === 'endpoint'
    ? makeEndpointRun()
    : () => {
        Endpoint.open(info).close();
      };
let end = performance.now() + options.seconds * 500;
do run();
while (performance.now() < end);

const start = performance.now();
end = start + options.seconds * 1000;
let before = start;
let count = 0;
do {
  run();
  const now = performance.now();
  samples[count++] = now - before;
  before = now;
} while (before < end && count < samples.length);
report({ phases: [summarize(count, before - start)] });
// In `endpoint` the domain stays open.
process.exit();
