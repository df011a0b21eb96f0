// @ts-nocheck: see values.mjs
/** What can be asked for: options, texts, parameters, the log. */
import {
  checkEnvironment,
  describe,
  ENDPOINT_OPTIONS,
  getInfo,
  getParams,
  libraryInfo,
  openLog,
  select,
  TEXT_TYPES,
  toText,
  trafficClassOfDscp,
} from 'node-libfabric';
import { inspect } from 'node:util';

const OPTIONS = Object.keys(ENDPOINT_OPTIONS);
const TYPES = Object.keys(TEXT_TYPES);
const PARTS = ['info', 'txAttr', 'rxAttr', 'epAttr', 'domainAttr', 'fabricAttr'];
const SIDES = ['transmit', 'receive'];
const LEVELS = ['warn', 'trace', 'info', 'debug'];

const option = (s, a) => (a % 31 === 0 ? s.junk(a) : OPTIONS[a % OPTIONS.length]);
const endpoint = (s, a) => (a % 5 === 0 ? s.any('member', a) : s.endpoint(a));

export const actions = [
  (s, a, b) => endpoint(s, a)?.getOption(option(s, b)),
  (s, a, b, c) => endpoint(s, a)?.setOption(option(s, b), [c % 5000, true, 'enabled', s.junk(c)][c % 4]),
  (s, a) => endpoint(s, a)?.txSizeLeft,
  (s, a) => endpoint(s, a)?.rxSizeLeft,
  (s, a, b) => endpoint(s, a)?.getOperationFlags(SIDES[b % 2]),
  (s, a, b, c) => endpoint(s, a)?.setOperationFlags(SIDES[b % 2], c % 3 === 0 ? s.junk(c) : ['FI_COMPLETION']),
  (s, a, b) => describe({ ...s.infos.main, srcAddr: s.addressBytes(b), caps: s.junk(b) }, PARTS[a % PARTS.length]),
  (s, a) => describe(a % 2 === 0 ? s.junk(a) : s.infos.main, PARTS[a % PARTS.length]),
  (s, a, b) => toText(TYPES[a % TYPES.length], b % 3 === 0 ? BigInt(b) ** 3n : b % 40),
  (s, a, b) => toText(TYPES[a % TYPES.length], s.junk(b)),
  (s, a) => inspect(s.anything(a), { depth: a % 3 }),
  (s, a) => inspect(s.infos.main, { depth: a % 3 }),
  (s, a) => s.keep('log', openLog({ level: LEVELS[a % 5], callback: () => undefined })),
  (s, a) => s.any('log', a)?.close(),
  (s, a) => s.keep('log', openLog(s.junk(a))),
  (s, a) => [getParams(), checkEnvironment(), libraryInfo()][a % 3],
  (s, a) => trafficClassOfDscp(s.address(a)),
  (s, a) => (a % 10 === 0 ? select({ require: s.junk(a) }) : undefined),
  (s, a) => (a % 10 === 0 ? getInfo({ caps: s.junk(a), epAttr: s.junk(a >> 2) }) : undefined),
];
