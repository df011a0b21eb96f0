// @ts-nocheck: see values.mjs
/** connect(), listen(), their connections and streams. */
import { connect, listen } from 'node-libfabric';

export const weight = 2;
export const isPossible = ({ passive }) => passive !== undefined;

const settings = (s, a) => ({
  provider: s.infos.passive.fabricAttr.provName,
  ...(a % 3 === 0 && { frameSize: a % 5000, window: a % 40 }),
});

/** A listener that is closed need not answer; nothing else ends such a connect(). */
const deadline = (s, c) => s.signal(c) ?? AbortSignal.timeout(100);

function openListener(s, a) {
  const answer = a % 5 === 0 ? () => ({ accept: a % 2 === 0, data: Buffer.from('answer') }) : undefined;
  const handler = (connection) => {
    s.keep('connection', connection);
    if (a % 7 === 0) connection.destroy();
    else if (a % 4 === 0) s.track(echo(connection));
  };
  return s.keep('listener', listen({ ...settings(s, a), answer }, a % 6 === 0 ? undefined : handler));
}

async function echo(connection) {
  for await (const message of connection) await connection.send(message);
  await connection.end();
}

async function iterate(listener, s) {
  for await (const connection of listener) s.keep('connection', connection);
}

function openStream(s, connection, b) {
  const stream = connection?.stream({ highWaterMark: b % 1000, signal: s.signal(b) });
  // Its errors are typed as well.
  s.track(new Promise((resolve, reject) => stream.on('error', reject).on('close', resolve)));
  return stream;
}

export const actions = [
  (s, a) => openListener(s, a),
  (s, a) => s.any('listener', a)?.close(),
  (s, a) => s.any('listener', a)?.ref().unref(),
  (s, a) => s.track(iterate(s.any('listener', a), s)),
  (s, a, b, c) =>
    s.keepLater(
      'connection',
      connect({ ...settings(s, b), port: s.any('listener', a)?.port, data: s.buffer(b), signal: deadline(s, c) }),
    ),
  (s, a, b, c) => {
    const { port } = s.any('listener', a) ?? openListener(s, 1);
    s.keepLater('connection', connect({ ...settings(s, b), port, signal: deadline(s, c) }));
  },
  (s, a) => connect(s.junk(a)),
  (s, a, b) => s.track(s.any('connection', a)?.send(s.buffer(b))),
  (s, a, b) => s.track(s.any('connection', a)?.send(s.buffer(b))),
  (s, a) => s.track(s.any('connection', a)?.receive()),
  (s, a) => s.track(s.any('connection', a)?.closed),
  (s, a) => s.track(s.any('connection', a)?.end()),
  (s, a) => s.track(s.any('connection', a)?.close()),
  (s, a) => s.any('connection', a)?.destroy(),
  (s, a) => s.any('connection', a)?.ref().unref(),
  (s, a, b) => s.keep('stream', openStream(s, s.any('connection', a), b)),
  (s, a, b) => s.any('stream', a)?.write(s.buffer(b)),
  (s, a) => s.any('stream', a)?.read(),
  (s, a) => s.any('stream', a)?.resume(),
  (s, a) => s.any('stream', a)?.end(),
  (s, a) => s.any('stream', a)?.destroy(),
];
