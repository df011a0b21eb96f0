// @ts-nocheck: see values.mjs
/** fi_mr(3): regions, what they say of themselves, pools of buffers. */
import { BufferPool, mapRemote, MemoryRegion, RemoteRegion, unmapRemote } from 'node-libfabric';

export const weight = 3;

const ACCESS = [undefined, ['FI_REMOTE_READ'], ['FI_REMOTE_WRITE'], ['FI_SEND', 'FI_RECV'], ['FI_READ'], []];

const domain = (s, a) => (a % 4 === 0 ? s.any('domain', a) : s.endpoint(a).domain);

function register(s, a, b, c) {
  const region = new MemoryRegion(domain(s, a), c % 6 === 0 ? s.buffers(b) : s.buffer(b), {
    access: ACCESS[c % ACCESS.length],
    key: c % 5 === 0 ? BigInt(c % 50) : undefined,
    counter: c % 13 === 0 ? s.any('counter', b) : undefined,
    endpoint: c % 17 === 0 ? s.any('endpoint', b) : undefined,
    flags: c % 19 === 0 ? 'FI_RMA_EVENT' : undefined,
  });
  s.keep('remote', region.remote());
  return region;
}

/** What another process could send. */
function travelled(remote, choice) {
  if (choice % 2 === 0) return RemoteRegion.fromJSON(JSON.parse(JSON.stringify(remote) ?? 'null'));
  const bytes = remote.toBytes();
  if (choice % 7 === 0) bytes[choice % bytes.length] ^= choice;
  return RemoteRegion.fromBytes(bytes);
}

export const actions = [
  (s, a, b, c) => s.keep('region', register(s, a, b, c)),
  (s, a, b, c) => s.keep('region', register(s, a, b, c)),
  (s, a, b, c) => s.keep('region', domain(s, a).allocate((b % 20_000) - 1, { alignment: 2 ** (c % 14) })),
  (s, a, b, c) => s.keep('region', domain(s, a).allocate(s.context(b), s.options(c))),
  (s, a, b) => s.keep('remote', s.any('region', a)?.remote(b % 3)),
  (s, a) => [s.any('region', a)?.key, s.any('region', a)?.inFlight, s.any('region', a)?.bytes],
  (s, a) => s.any('region', a)?.refresh(),
  (s, a) => s.any('region', a)?.close(),
  (s, a, b, c) => s.track(s.any('region', a)?.closeWhenIdle(s.options(c))),
  (s, a, b, c) => s.track(s.any('region', a)?.drained(s.options(c))),
  (s, a, b) => s.keep('remote', travelled(s.any('remote', a), b)),
  (s, a, b, c) => s.keep('remote', s.any('remote', a)?.slice(b % 100, c % 3 === 0 ? undefined : c % 100)),
  (s, a, b, c) => s.keep('remote', new RemoteRegion(BigInt(a) ** 3n, BigInt(b), c)),
  (s, a, b, c) => s.keep('remote', new RemoteRegion(BigInt(a), Buffer.alloc(b % 40), c)),
  (s, a, b) => s.keep('remote', mapRemote(domain(s, a), s.any('remote', b))),
  (s, a, b) => unmapRemote(domain(s, a), s.any('remote', b)),
  (s, a) => domain(s, a)?.registrations,
  (s, a) => new MemoryRegion(domain(s, a), { interface: 'FI_HMEM_CUDA', address: BigInt(a) << 12n, length: 10 }),
  (s, a, b) => new MemoryRegion(domain(s, a), s.junk(b)),
  (s, a, b, c) => s.keep('pool', new BufferPool(domain(s, a), { count: b % 5, byteLength: c % 3000 })),
  (s, a, b, c) => s.keepLater('pooled', s.any('pool', a).acquire(s.options(c))),
  (s, a) => s.keep('pooled', s.any('pool', a)?.tryAcquire()),
  (s, a) => s.any('pooled', a)?.release(),
  (s, a, b) => s.any('pool', a)?.release(s.any('pooled', b)),
  (s, a) => s.any('pool', a)?.close(),
];
