/** Makes every check on a machine and says what that comes to. */
import type { Check, CheckResult } from './check.js';
import { CHECKS } from './checks/index.js';
import { demandsGpuDirect } from './checks/environment.js';
import type { Host } from './host.js';
import { predict, type Prediction, type PredictionInput, type Transport } from './predict.js';
import { ncclTransport } from './log-signatures.js';
import { reachesAccelerators } from './survey/devices.js';
import { describeProblem } from './survey/loader.js';
import { Survey, type Consumer, type ExamineOptions } from './survey/survey.js';

/** In one word. */
export type Verdict = 'usable' | 'degraded' | 'fallback' | 'unusable' | 'not-applicable';

/** What was found. */
export interface Examination {
  readonly survey: Survey;
  readonly results: readonly CheckResult[];
  readonly prediction: Prediction;
  /** Whose transport the verdict is about. */
  readonly consumers: readonly Consumer[];
  readonly verdict: Verdict;
  /** In one sentence. */
  readonly summary: string;
  /** The step to repair first. */
  readonly firstFailure: CheckResult | undefined;
}

/** Without these there is no efa in libfabric. */
const EFA_NEEDS = [
  ...['HOST-02', 'PCI-01', 'PCI-03', 'MOD-01', 'MOD-02', 'RDMA-01', 'RDMA-02', 'DEV-01', 'DEV-02', 'DEV-03'],
  ...['VERBS-01', 'VERBS-02', 'VERBS-03', 'LF-01', 'LF-02', 'LF-03', 'LF-04'],
  ...['ENV-01', 'ENV-02', 'ENV-03', 'ENV-05', 'LIM-01'],
];

/** What libfabric needs to open efa: where it does, a fault of these is none. */
const BELOW_LIBFABRIC = ['DEV-01', 'DEV-02', 'VERBS-01', 'VERBS-02'];

/** Examines a machine, or a copy of one. */
export function examine(host: Host, options: ExamineOptions = {}): Examination {
  const survey = new Survey(host, options);
  const results: CheckResult[] = [];
  for (const check of CHECKS) {
    if (check.applies?.(survey) !== false) results.push(make(check, survey, results));
  }
  const prediction = predict(inputOf(survey, results));
  const consumers = consumersOf(survey);
  const judged = judge(results, prediction, consumers);
  return { survey, results, prediction, consumers, ...judged };
}

function make(check: Check, survey: Survey, results: readonly CheckResult[]): CheckResult {
  const blocking = results.find(
    ({ check: { id }, status, blocks }) =>
      check.dependsOn.includes(id) && (status === 'fail' || status === 'skip' || blocks === true),
  );
  if (blocking !== undefined) {
    const blockedBy = blocking.blockedBy ?? blocking.check.id;
    return { check, status: 'skip', message: `after ${blockedBy}`, evidence: [], blockedBy };
  }
  const evidence = check.probe(survey);
  const judgement = check.judge(survey, evidence);
  if (judgement.status === 'fail' && survey.opensEfa && BELOW_LIBFABRIC.includes(check.id)) {
    return { check, evidence, status: 'info', message: `${judgement.message}, yet libfabric opens efa` };
  }
  return { check, evidence, ...judgement };
}

function inputOf(survey: Survey, results: readonly CheckResult[]): PredictionInput {
  const { environment, selected, plugins, devices, host } = survey;
  const blocking = results.find(
    ({ check: { id }, status, blocks }) => EFA_NEEDS.includes(id) && (status === 'fail' || blocks === true),
  );
  // what is named in the fix is the step that failed; what ends the process may come after it
  const breaking = results.find(({ status, breaks }) => status === 'fail' && breaks === true);
  // limits and settings of efa do no harm where efa is not opened
  const isReached = blocking === undefined || blocking === breaking || breaking?.check.id === 'ENV-01';
  const blockedBy = isReached ? (breaking ?? blocking) : blocking;
  const plugin = plugins.find(({ isOnPath }) => isOnPath);
  const pluginFailure = results.find(({ check: { id }, status }) => id === 'NCCL-02' && status === 'fail');
  const problem = plugin?.problems[0];
  const reaching = devices.rdma.filter((device) => device.isEfa && reachesAccelerators(device));
  return {
    environment,
    efaBlockedBy:
      blockedBy === undefined
        ? undefined
        : { id: blockedBy.check.id, message: blockedBy.message, breaks: blockedBy.breaks ?? false },
    libfabric:
      selected === undefined
        ? undefined
        : { version: selected.version, loads: survey.loader.problems(selected.path).length === 0 },
    observed: host.live?.first,
    observedNccl: ncclInLog(survey),
    mpiLacksOfi: results.some(({ check: { id }, status }) => id === 'MPI-01' && status === 'fail'),
    plugin:
      plugin === undefined
        ? undefined
        : {
            loads: problem === undefined && pluginFailure === undefined,
            why: pluginFailure?.message ?? (problem === undefined ? '' : describeProblem(problem)),
            isForAws: plugin.isForAws,
          },
    gpuDirectMissing:
      demandsGpuDirect(survey) &&
      reaching.length === 0 &&
      devices.rdma.some(({ isEfa, peerToPeer }) => isEfa && peerToPeer !== undefined),
    rdmaOff: results.some(
      ({ check: { id }, status, breaks }) => id === 'ENV-04' && status === 'fail' && breaks !== true,
    ),
    hasInfiniband: devices.rdma.some(
      ({ isEfa, uverbs }) => !isEfa && uverbs !== undefined && survey.openNode(uverbs) === 'ok',
    ),
  };
}

const ncclInLog = ({ options }: Survey): string | undefined =>
  options.log === undefined ? undefined : ncclTransport(options.log.text);

function consumersOf(survey: Survey): Consumer[] {
  if (survey.options.consumer !== undefined) return [survey.options.consumer];
  const hasNccl = survey.hasNccl || ncclInLog(survey) !== undefined;
  return ['libfabric', ...(hasNccl ? (['nccl'] as const) : []), ...(survey.hasMpi ? (['mpi'] as const) : [])];
}

/** A consumer's own name, and what it will take. */
export function transportOf(prediction: Prediction, consumer: Consumer): { name: string; transport: Transport } {
  const { libfabric, nccl, openmpi } = prediction;
  return {
    libfabric: { name: 'libfabric', transport: libfabric },
    nccl: { name: 'NCCL', transport: nccl },
    mpi: { name: 'Open MPI', transport: openmpi },
  }[consumer];
}

function judge(
  results: readonly CheckResult[],
  prediction: Prediction,
  consumers: readonly Consumer[],
): Pick<Examination, 'verdict' | 'summary' | 'firstFailure'> {
  const resultOf = (id: string): CheckResult | undefined => results.find(({ check }) => check.id === id);
  const traffic = results.find(({ check: { id }, status }) => /^NET-0[23]$/.test(id) && status === 'fail');
  const before = results.find(({ status }) => status === 'fail');
  if (traffic !== undefined && before === traffic) {
    return { verdict: 'unusable', summary: `Traffic does not get through: ${traffic.message}.`, firstFailure: traffic };
  }
  const bus = resultOf('PCI-01');
  if (bus?.blocks === true) {
    const where = resultOf('HOST-01')!.message;
    return {
      verdict: 'not-applicable',
      summary: `EFA does not apply here: ${where}, and there is no EFA device. ${describeTransport('libfabric', prediction.libfabric)}`,
      firstFailure: undefined,
    };
  }
  const firstFailure =
    results.find(({ status }) => status === 'fail') ??
    results.find(({ status, degrades }) => status === 'warn' && degrades === true);
  if (resultOf('LF-01')?.blocks === true && firstFailure?.status !== 'fail') {
    return {
      verdict: firstFailure === undefined ? 'usable' : 'degraded',
      summary:
        'Driver and devices of this host are fine. It has no libfabric of its own: check inside the container too.',
      firstFailure,
    };
  }
  const taken = consumers.map((consumer) => transportOf(prediction, consumer));
  const sentence = taken.map(({ name, transport }) => describeTransport(name, transport)).join(' ');
  if (taken.some(({ transport }) => transport.transport === 'none'))
    return { verdict: 'unusable', summary: sentence, firstFailure };
  if (taken.some(({ transport }) => !transport.usesEfa))
    return { verdict: 'fallback', summary: sentence, firstFailure };
  return { verdict: firstFailure === undefined ? 'usable' : 'degraded', summary: sentence, firstFailure };
}

function describeTransport(name: string, { transport, usesEfa, confidence }: Transport): string {
  const verb = confidence === 'observed' ? 'uses' : 'will use';
  if (transport === 'none') return `${name} will fail.`;
  return `${name} ${verb} ${transport}${usesEfa ? '' : ', not EFA'}.`;
}
