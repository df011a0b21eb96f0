import { pass, type Check } from '../check.js';
import { matchLog } from '../log-signatures.js';

export const logChecks: readonly Check[] = [
  {
    id: 'LOG-01',
    title: 'Known faults in the log',
    layer: 'log',
    dependsOn: [],
    why: 'What NCCL, Open MPI or libfabric wrote often names the step that failed.',
    fix: { host: ['NCCL_DEBUG=INFO, FI_LOG_LEVEL=warn make programs say more.'] },
    references: [],
    applies: ({ options }) => options.log !== undefined,
    probe: ({ options: { log } }) =>
      matchLog(log!.text).map(({ signature, line, text }) => ({
        source: `${log!.name}:${line}`,
        value: `${signature.id}: ${text.slice(0, 200)}`,
      })),
    judge: ({ options: { log } }) => {
      const [first] = matchLog(log!.text);
      if (first === undefined) return pass('none');
      const { signature } = first;
      return { status: 'fail', message: `${signature.id}: ${signature.meaning}`, fix: { host: signature.fix } };
    },
  },
];
