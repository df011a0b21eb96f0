/** What to think of a phase in which nothing moves any more, and what to do next. */
import type { Exchange } from './exchange.js';
import type { Link } from './link.js';
import type { Message } from './protocol.js';
import { BenchError } from './errors.js';

/** The sentence of a stall: where it stands, what is likely, and the command that finds out. */
export function stalled(link: Link, start: Message<'start'>, exchange: Exchange, timeout: number): BenchError {
  const { sent, received, iteration } = exchange;
  return new BenchError(
    'STALLED',
    `stalled in ${start.phase}: size ${start.size}, iteration ${iteration}; sent ${sent}, received ${received}; ` +
      `likely ${likelyCause(link, exchange)}; run: ${nextCommand(link)}`,
    { hint: `nothing moved for ${timeout / 1000} s; --timeout waits longer` },
  );
}

function likelyCause({ local, remote, stream }: Link, { received, iteration }: Exchange): string {
  const { type } = stream.endpoint.info.epAttr;
  if (type === 'FI_EP_DGRAM')
    return 'a datagram was lost, which nobody repairs (-e rdm repairs; a smaller --window loses less)';
  if (iteration > 0 || received > 0)
    return `the other end is stopped or starved, or the way to ${remote.dataAddress} broke`;
  if (local.provider === 'efa') return 'the security group does not allow all traffic from and to itself, outbound too';
  if (local.provider === 'shm') return 'the other end is stopped';
  return (
    `a firewall between ${local.dataAddress} and ${remote.dataAddress} ` +
    '(FI_TCP_PORT_LOW_RANGE and FI_TCP_PORT_HIGH_RANGE choose the ports of tcp)'
  );
}

function nextCommand({ local, remote }: Link): string {
  return local.provider === 'efa' ? `fabric-doctor --peer ${remote.controlAddress}` : 'fabric-doctor on both hosts';
}
