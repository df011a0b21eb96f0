// @ts-nocheck: see values.mjs
/** The interfaces that a program opens: what a provider has, and what stands in for what it has not. */
import { getInfo, select } from 'node-libfabric';

/** Whose connections are tried along with a provider that has none. */
const CONNECTED = { shm: 'tcp', net: 'net', sockets: 'sockets', 'tcp;ofi_rxm': 'tcp' };
const MODE = ['FI_CONTEXT', 'FI_CONTEXT2'];
const HERE = { node: '127.0.0.1', flags: 'FI_SOURCE' };

/** The loopback interface of those that fit. */
const loopback = ({ candidates, info }) =>
  candidates.find(({ srcAddr }) => srcAddr?.subarray(4, 8).join('.') === '127.0.0.1') ?? info;

/**
 * Undefined where this machine has no such thing.
 * @param {string} provider
 */
export function openableBy(provider) {
  // Not net;ofi_rxm: libfabric 1.17 reposts receives to an endpoint that it has freed, when a peer goes that has just sent
  // something (rxm_close_conn, without a shared receive context).
  const [collective] = provider.endsWith(';ofi_rxm')
    ? getInfo({ caps: ['FI_COLLECTIVE', 'FI_MSG', 'FI_TAGGED'], mode: MODE, fabricAttr: { provName: provider } }, HERE)
    : [];
  const [multicast] = getInfo({ caps: ['FI_MULTICAST', 'FI_MSG'], epAttr: { type: 'FI_EP_DGRAM' } }, HERE);
  const [passive] = getInfo(
    { caps: ['FI_MSG'], mode: MODE, epAttr: { type: 'FI_EP_MSG' }, fabricAttr: { provName: CONNECTED[provider] } },
    { ...HERE, service: '0' },
  );
  return { main: loopback(select({ require: provider })), collective, multicast, passive };
}
