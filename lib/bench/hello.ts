import { libraryInfo } from '../index.js';
import { groupCandidates, type Discovery, type LocalCandidate } from './candidates.js';
import { readHostIdentity } from './host-identity.js';
import { PROTOCOL_VERSION, type Hello, type Wants } from './protocol.js';

/** What this end says about itself first. */
export function makeHello(
  { withheld, rejected }: Discovery,
  local: readonly LocalCandidate[],
  wants: Wants,
  controlAddress: string,
): Hello {
  return {
    type: 'hello',
    program: 'node-libfabric-pingpong',
    protocolVersion: PROTOCOL_VERSION,
    libfabric: libraryInfo().version,
    host: readHostIdentity(),
    wants,
    candidates: local.map(({ candidate }) => candidate),
    withheld: groupCandidates(withheld, controlAddress).map(({ candidate }) => candidate),
    rejected,
  };
}
