/** libfabric's log: fi_import_log of its extensions, which replaces FI_LOG_LEVEL and stderr. */
import { channel } from 'node:diagnostics_channel';
import { binding } from './binding.js';
import { check, show } from './errors.js';
import { requireLibrary } from './library.js';

/** enum fi_log_level, in its order: each includes those before it. */
const LEVELS = ['warn', 'trace', 'info', 'debug'] as const;
/** enum fi_log_subsys, in its order. */
const SUBSYSTEMS = ['core', 'fabric', 'domain', 'ep_ctrl', 'ep_data', 'av', 'cq', 'eq', 'mr', 'cntr'] as const;
const VALUES_PER_MESSAGE = 6;

/** How much of libfabric's log to show. Each level includes those before it: warn, trace, info, debug. */
export type LogLevel = (typeof LEVELS)[number];

/** One message of libfabric's log. */
export interface LogMessage {
  /** Who says it: `'tcp'`, `'ofi_rxm'`, `'core'`. */
  readonly provider: string;
  /** What it is about: `'ep_ctrl'`, `'cq'`, `'mr'` … */
  readonly subsystem: string;
  readonly level: LogLevel;
  /** Where in the source of libfabric. */
  readonly function: string;
  readonly line: number;
  /** What it says, without the line feed at its end. */
  readonly message: string;
}

/** Options of {@link openLog}. */
export interface LogOptions {
  /** @defaultValue `'warn'` */
  readonly level?: LogLevel;
  /** Called with each message, on the event loop. */
  readonly callback?: (message: LogMessage) => void;
}

/** The name of the `diagnostics_channel` on which messages are published while a {@link FabricLog} is open. */
export const LOG_CHANNEL = 'node-libfabric:log';

const messages = channel(LOG_CHANNEL);
const open = new Set<FabricLog>();

/** Libfabric's log, being read; made by {@link openLog}. */
export class FabricLog {
  readonly level: LogLevel;
  /** @internal */
  readonly callback: ((message: LogMessage) => void) | undefined;

  /** @internal */
  constructor(level: LogLevel, callback: ((message: LogMessage) => void) | undefined) {
    this.level = level;
    this.callback = callback;
    open.add(this);
    try {
      listen();
    } catch (error) {
      open.delete(this);
      throw error;
    }
  }

  /** Delivers what has been logged until now, then stops. When the last one closes, libfabric logs to stderr again. */
  close(): void {
    if (!open.has(this)) return;
    try {
      deliver();
    } finally {
      open.delete(this);
      if (open.size === 0) binding.logClose();
      else listen();
    }
  }

  /** {@link FabricLog.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Reads libfabric's log from now on: fi_import_log of fi_ext.h, over fi_open; libfabric 1.13 and later. No `FI_LOG_LEVEL` is needed, and
 * the level can change at any time; `FI_LOG_PROV` still chooses providers. Meanwhile libfabric writes nothing to stderr.
 *
 * Messages come from any thread, and are delivered in order on the event loop of this one: to the callback, and on the
 * {@link LOG_CHANNEL}. Beyond 10,000 undelivered messages the rest is dropped, which a message then says. An open log
 * does not keep the process alive.
 *
 * @throws FabricError `FI_ENOSYS` where the loaded libfabric is too old, `FI_EALREADY` when something else in the process
 * has taken its log.
 */
export function openLog(options: LogOptions = {}): FabricLog {
  const { level = 'warn', callback } = options;
  if (!LEVELS.includes(level)) {
    throw new TypeError(`options.level: ${show(level)} is none of ${LEVELS.join(', ')}`);
  }
  if (callback !== undefined && typeof callback !== 'function') {
    throw new TypeError(`options.callback: expected a function, not ${show(callback)}`);
  }
  return new FabricLog(level, callback);
}

/** Asks for the highest level that somebody wants. */
function listen(): void {
  requireLibrary();
  const level = Math.max(...[...open].map((log) => LEVELS.indexOf(log.level)));
  check(binding.logOpen(level, deliver), 'fi_import_log', "cannot read libfabric's log");
}

function deliver(): void {
  const [dropped, ...values] = binding.logTake();
  for (let at = 0; at < values.length; at += VALUES_PER_MESSAGE) {
    const [level, subsystem, provider, name, line, text] = values.slice(at, at + VALUES_PER_MESSAGE) as [
      number,
      number,
      string,
      string,
      number,
      string,
    ];
    publish({
      provider,
      subsystem: SUBSYSTEMS[subsystem] ?? String(subsystem),
      level: LEVELS[level] ?? 'debug',
      function: name,
      line,
      message: text.trimEnd(),
    });
  }
  if (dropped > 0) {
    const message = `${dropped} messages were dropped: they came faster than they were read`;
    publish({ provider: 'node-libfabric', subsystem: 'core', level: 'warn', function: 'deliver', line: 0, message });
  }
}

function publish(message: LogMessage): void {
  messages.publish(message);
  for (const log of [...open]) {
    if (LEVELS.indexOf(message.level) > LEVELS.indexOf(log.level)) continue;
    try {
      log.callback?.(message);
    } catch (error) {
      // As diagnostics_channel does: uncaught, but not at the cost of the messages behind this one.
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
