/** When an event queue is read: policy. native/event_watch.cc has the mechanism. */
import { binding } from './binding.js';

/**
 * Milliseconds until the queue is asked again after so many times without an event. The first times the descriptor is
 * trusted; one that is readable for other reasons (data that moves on the same sockets) is asked less and less often.
 */
const BACK_OFF = [0, 0, 0, 0, 1, 2, 4, 8, 16];
/** Without a descriptor that can be waited on: while an event is expected, and while none is. */
const POLL_INTERVALS = { expecting: 4, idle: 50 };
/** With one: in case that the provider's signal got lost. */
const SAFETY_INTERVALS = { expecting: 100, idle: 1000 };
/** Of a queue that is only there for errors, with or without a descriptor: descriptors wake up for other reasons. */
const ERRORS_INTERVAL = 250;

/** What a queue is watched for. */
export interface EventWatchClient {
  /** Reads and delivers what has arrived. @returns how many events that were. */
  readEvents(): number;
  /** Whether somebody waits for an event. */
  readonly expecting: boolean;
}

/** Has one event queue read whenever there may be something. */
export class EventWatch {
  readonly #queue: number;
  readonly #forErrors: boolean;
  // Weak, since the native side holds on to this object for as long as the queue is open.
  readonly #client: WeakRef<EventWatchClient>;
  #timer: NodeJS.Timeout | undefined;
  #quiet = 0;
  #closed = false;

  /** @param forErrors - Nothing comes but errors, unless somebody expects more: it is looked at seldom. */
  constructor(queue: number, client: EventWatchClient, forErrors: boolean) {
    this.#queue = queue;
    this.#forErrors = forErrors;
    this.#client = new WeakRef(client);
    binding.eventQueueWatch(queue, () => {
      this.#read();
    });
    this.#wait(0);
  }

  /** Something was started that ends with an event. */
  kick(): void {
    this.#quiet = 0;
    this.#wait(0);
  }

  /** Whether the process has to stay alive. */
  setReferenced(referenced: boolean): void {
    binding.eventQueueSetReferenced(this.#queue, referenced);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #read(): void {
    const client = this.#client.deref();
    if (client === undefined || this.#closed) return;
    let found = 1;
    try {
      found = client.readEvents();
    } finally {
      // Whatever a listener has thrown, the next event is for the next listener.
      this.#quiet = found > 0 ? 0 : this.#quiet + 1;
      const pause = BACK_OFF[Math.min(this.#quiet, BACK_OFF.length - 1)]!;
      if (this.#forErrors && !client.expecting) this.#wait(ERRORS_INTERVAL);
      else if (pause > 0) this.#wait(pause);
      else this.#arm(client);
    }
  }

  #arm(client: EventWatchClient): void {
    // What was read may have closed the queue.
    if (this.#closed) return;
    const intervals = binding.eventQueueArm(this.#queue) === 0 ? SAFETY_INTERVALS : POLL_INTERVALS;
    this.#wait(client.expecting ? intervals.expecting : intervals.idle);
  }

  #wait(milliseconds: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#read();
    }, milliseconds);
    // The queue's own handle keeps the process alive while an event is expected.
    this.#timer.unref();
  }
}
