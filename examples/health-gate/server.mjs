// A health gate for an orchestrator: GET /ready is 200 while this node is on EFA, 503 while it is not; GET /metrics is for
// Prometheus. `node server.mjs [port]`; FABRIC_DOCTOR_ROOT examines a copy of a machine instead of this one.
import { createServer } from 'node:http';
import { askLibfabric, examine, EXIT_CODES, LiveHost, TreeHost } from 'node-libfabric/doctor';
import { Gauge, Registry } from 'prom-client';

/** Nothing of a machine changes faster. */
const EXAMINE_EVERY = 60_000;
/** Degraded nodes still take work here; an orchestrator that wants none of them takes 0 only. */
const READY_UP_TO = 1;

const registry = new Registry();
const registers = [registry];
const verdictGauge = new Gauge({
  name: 'fabric_doctor_verdict',
  help: '1 for the verdict that this node has',
  labelNames: ['verdict', 'first_failure'],
  registers,
});
const deviceGauge = new Gauge({ name: 'fabric_doctor_efa_devices', help: 'EFA devices on the PCI bus', registers });
const checkGauge = new Gauge({
  name: 'fabric_doctor_checks',
  help: 'checks by their status',
  labelNames: ['status'],
  registers,
});

/** @type {import('node-libfabric/doctor').Examination | undefined} */
let latest;

async function lookAgain() {
  const root = process.env['FABRIC_DOCTOR_ROOT'];
  latest = examine(root === undefined ? new LiveHost(await askLibfabric()) : new TreeHost(root));
  const { verdict, firstFailure, results, survey } = latest;
  verdictGauge.reset();
  verdictGauge.set({ verdict, first_failure: firstFailure?.check.id ?? '' }, 1);
  deviceGauge.set(survey.devices.efa.length);
  checkGauge.reset();
  for (const { status } of results) checkGauge.inc({ status });
}

const server = createServer((request, response) => {
  if (request.url === '/metrics') {
    void registry.metrics().then((text) => {
      response.writeHead(200, { 'content-type': registry.contentType }).end(text);
    });
  } else if (request.url === '/ready') {
    // not examined yet is not ready yet
    const isReady = latest !== undefined && EXIT_CODES[latest.verdict] <= READY_UP_TO;
    const { verdict = 'unknown', summary = 'not examined yet', firstFailure } = latest ?? {};
    response.writeHead(isReady ? 200 : 503, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ verdict, summary, firstFailure: firstFailure?.check.id, message: firstFailure?.message }),
    );
  } else {
    response.writeHead(404).end();
  }
});

await lookAgain();
setInterval(() => void lookAgain(), EXAMINE_EVERY).unref();
server.listen(Number(process.argv[2] ?? 9470), () => {
  const address = server.address();
  console.log(`listening on port ${typeof address === 'object' ? address?.port : address}`);
});
