/** Why a node is not on EFA: `node-libfabric/doctor`. */
export {
  LAYERS,
  type Check,
  type CheckResult,
  type Evidence,
  type Fix,
  type Judgement,
  type Layer,
  type Status,
} from './check.js';
export { CHECKS } from './checks/index.js';
export { examine, transportOf, type Examination, type Verdict } from './examine.js';
export {
  LiveHost,
  TreeHost,
  type EfaAnswer,
  type Host,
  type InstanceAnswer,
  type LiveFacts,
  type TrafficResult,
} from './host.js';
export { LOG_SIGNATURES, matchLog, ncclTransport, type LogMatch, type LogSignature } from './log-signatures.js';
export { predict, type Prediction, type PredictionInput, type Transport } from './predict.js';
export { allowsProvider } from '../provider-filter.js';
export { askLibfabric } from './live/ask.js';
export { askInstance } from './live/instance.js';
export { withBundle, writeBundle } from './bundle.js';
export {
  EXIT_CODES,
  makeReport,
  reportJsonSchema,
  reportSchema,
  REPORT_FORMAT,
  type Circumstances,
  type Report,
} from './report.js';
export { formatExplanation, formatList, formatReport, paintWith, type Extent } from './text.js';
export { Survey, type Consumer, type ExamineOptions } from './survey/survey.js';
export { adviseContainer, CONTAINER_KINDS, type ContainerKind } from './container-advice.js';
export { compareNodes, FLEET_COLUMNS, readReport, type Difference, type Fleet, type FleetColumn } from './fleet.js';
export { formatFleet } from './fleet-text.js';
export { renderFleetPage, renderPage } from './page.js';
export { CONTROL_PORT, testLoopback, testPeer, type Peer } from './live/traffic.js';
export { watch, type Watched } from './watch.js';
