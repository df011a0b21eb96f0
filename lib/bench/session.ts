import { FabricError, libraryInfo } from '../index.js';
import { findInfo, type Discovery, type LocalCandidate } from './candidates.js';
import type { ControlChannel } from './control-channel.js';
import { BenchError } from './errors.js';
import { readHostIdentity } from './host-identity.js';
import { Link } from './link.js';
import type { Role } from './pattern.js';
import { PROTOCOL_VERSION, type Candidate, type Hello, type Message } from './protocol.js';

/** What this end says about itself first. */
export function makeHello(discovery: Discovery, local: readonly LocalCandidate[]): Hello {
  return {
    type: 'hello',
    program: 'node-libfabric-pingpong',
    protocolVersion: PROTOCOL_VERSION,
    libfabric: libraryInfo().version,
    host: readHostIdentity(),
    candidates: local.map(({ candidate }) => candidate),
    rejected: discovery.rejected,
  };
}

/** Opens this end of what was agreed, and connects it with the other end's. */
export async function openLink(
  channel: ControlChannel,
  role: Role,
  local: readonly LocalCandidate[],
  agreed: Pick<Candidate, 'provider' | 'protocol' | 'fabric'>,
  plan: Message<'plan'>,
): Promise<Link> {
  channel.phase = 'endpoint set-up';
  const info = findInfo(local, agreed, plan.addressFormat);
  const link = usable(agreed.provider, () => new Link(info, plan.door, role, plan.maxSize, channel));
  try {
    channel.send(link.local);
    const remote = await link.progressUntil(channel.receive('ready'));
    usable(agreed.provider, () => {
      link.connect(remote);
    });
    return link;
  } catch (error) {
    link[Symbol.dispose]();
    throw error;
  }
}

/** What the provider refuses before any data has moved means that it cannot be used. */
function usable<T>(provider: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof FabricError)) throw error;
    throw new BenchError('NO_PROVIDER', `${provider} cannot be opened: ${error.message}`, {
      hint: error.hint ?? 'choose another provider with -p',
      cause: error,
    });
  }
}
