/** struct fid_cq: where completions come from, through either door. */
import { binding, NO_OPERATION, POST_REFUSED, PROMISES_WAITING } from './binding.js';
import { CompletionBatch } from './completion-batch.js';
import type { CompletionQueueStats } from './completion-queue-stats.js';
import { Domain } from './domain.js';
import { check, fabricError, show, type FabricError } from './errors.js';
import { operationError } from './operation-error.js';
import type { Completion, OperationOptions, OperationOwner, PendingOperation } from './operation.js';
import { PostBatch } from './post-batch.js';
import { Progress, PROGRESS_MODES, type ProgressClient, type ProgressMode } from './progress.js';
import { ERRORS, OPERATION_FLAGS } from './constants.js';
import { postAndRead } from './read-call.js';
import { RemoteWrites } from './remote-writes.js';
import { argumentHandle, handleOf, Resource } from './resource.js';

/** Options of a {@link CompletionQueue}. */
export interface CompletionQueueOptions {
  /** How many completions it holds. @defaultValue 0: the provider's default */
  readonly size?: number;
  /** @defaultValue `'auto'` */
  readonly progress?: ProgressMode;
  /**
   * How long modes `auto` and `spin` spin after a completion, at most. More costs CPU, less costs latency where messages come
   * in bursts. @defaultValue in `auto` 500, or 2500 where the provider has no file descriptor that can be trusted
   */
  readonly spinMicroseconds?: number | undefined;
}

/** How many completions enter JavaScript at once. */
const RING_CAPACITY = 256;
const LONGEST_SPIN_MICROSECONDS = 10_000_000;

/**
 * Queues with an operation outstanding, or that had one a moment ago: they stay reachable although nobody may hold them but
 * the promise.
 */
const active = new Set<CompletionQueue>();

/**
 * A queue of completions: fi_cq(3).
 *
 * Operations of the promise door are settled from the event loop ({@link ProgressMode}); those of the batch door wait for
 * {@link read}. One queue serves both, and any number of endpoints.
 */
export class CompletionQueue extends Resource implements ProgressClient {
  readonly domain: Domain;
  readonly progress: ProgressMode;

  readonly #ring = new CompletionBatch(RING_CAPACITY);
  readonly #operations: (PendingOperation | undefined)[] = [];
  readonly #blocked = new Set<OperationOwner>();
  readonly #progress: Progress | undefined;
  readonly #remoteWrites = new RemoteWrites((change) => {
    this.#remoteWriteAwaited(change);
  });
  #isActive = false;
  #outstanding = 0;
  #referenced = 0;
  #failure: number | undefined;

  /** fi_cq_open(3). @throws FabricError when libfabric refuses. */
  constructor(domain: Domain, options: CompletionQueueOptions = {}) {
    const { size = 0, progress = 'auto', spinMicroseconds } = options;
    if (!Number.isInteger(size) || size < 0 || size >= 2 ** 32) {
      throw new RangeError(`options.size: expected an unsigned 32-bit integer, not ${show(size)}`);
    }
    if (!PROGRESS_MODES.includes(progress)) {
      throw new TypeError(`options.progress: ${show(progress)} is none of ${PROGRESS_MODES.join(', ')}`);
    }
    if (spinMicroseconds !== undefined) checkSpin(spinMicroseconds, 'options.spinMicroseconds');
    const domainHandle = argumentHandle(domain, Domain, 'domain');
    // A descriptor when the provider has one.
    let handle = progress === 'manual' ? -1 : binding.completionQueueOpen(domainHandle, size, true);
    if (handle < 0) handle = binding.completionQueueOpen(domainHandle, size, false);
    super(check<number>(handle, 'fi_cq_open', 'cannot open a completion queue'), binding.completionQueueClose, [
      domain,
    ]);
    this.domain = domain;
    this.progress = progress;
    if (progress !== 'manual') {
      const ring = CompletionBatch.memoryOf(this.#ring);
      this.#progress = new Progress(handle, ring, RING_CAPACITY, progress, this, spinMicroseconds);
    }
  }

  /** Whether the provider has a file descriptor to wait on (fi_trywait(3)). Without one, an idle queue is polled by a timer. */
  get hasDescriptor(): boolean {
    return binding.completionQueueDescriptor(handleOf(this)) >= 0;
  }

  /** What this queue has done so far, and what it cost. */
  stats(): CompletionQueueStats {
    const counts = check<number[]>(binding.completionQueueStats(handleOf(this)), 'fi_cq_read', 'cannot count');
    const [polls = 0, emptyPolls = 0, completions = 0, spins = 0, wakeUps = 0, timers = 0] = counts;
    const spinMicroseconds = this.#progress?.spinMicroseconds ?? 0;
    return { polls, emptyPolls, completions, spins, wakeUps, timers, spinMicroseconds };
  }

  /** Operations of the promise door that have not completed, and calls of {@link remoteWrite} that wait. */
  get outstanding(): number {
    return this.#outstanding + this.#remoteWrites.waiting;
  }

  /**
   * The next write with immediate data (`options.data` of {@link Endpoint.write}) by a peer, to any region of the domain:
   * FI_REMOTE_CQ_DATA of fi_rma(3). Its completion has the `data`; `length` is what was written, where the provider says.
   * Those that nobody waits for are kept, up to 65536.
   *
   * @throws FabricError: rejects with `FI_ECANCELED` when the queue is closed, `FI_EOVERRUN` when some were lost, or with
   * the signal's reason.
   */
  remoteWrite({ signal }: OperationOptions = {}): Promise<Completion> {
    handleOf(this);
    return this.#remoteWrites.next(signal);
  }

  get #provider(): string | undefined {
    return this.domain.info.fabricAttr.provName;
  }

  #remoteWriteAwaited(change: number): void {
    this.reference(change);
    if (this.closed) return;
    if (change > 0) {
      this.#stayReachable();
      this.#progress?.kick();
    } else {
      this.fellQuiet();
    }
  }

  /**
   * The batch door: fills `batch` with completions of operations that were posted with a context, and makes progress:
   * fi_cq_read(3), fi_cq_readfrom(3), fi_cq_readerr(3). Allocates nothing. Failed operations are entries with an `error`.
   *
   * @param batch - Where to; every array up to the count returned is written.
   * @param spinMicroseconds - How long to spin, at most, for the first completion. The event loop stands still meanwhile.
   * @param posts - What to post first, in the same native call; tried again while spinning where the provider is full.
   * {@link PostBatch.isPosted} says whether all of it was.
   * @returns how many completions there are.
   * @throws FabricError when the queue itself has failed, or an operation of `posts` was refused.
   */
  read(batch: CompletionBatch, spinMicroseconds = 0, posts?: PostBatch): number {
    checkSpin(spinMicroseconds, 'spinMicroseconds');
    const count = postAndRead(
      handleOf(this),
      CompletionBatch.memoryOf(batch),
      spinMicroseconds * 1000,
      posts === undefined ? -1 : PostBatch.memoryOf(posts),
    );
    const isPlain = count >= 0 && count < POST_REFUSED;
    // Nearly always: completions of this door, and nobody else who waits for them.
    if (isPlain && this.#blocked.size === 0 && !this.domain.hasListeners) return count;
    return this.#attend(count, posts);
  }

  /** What else follows from a read of the batch door. */
  #attend(result: number, posts: PostBatch | undefined): number {
    const count = result < 0 ? result : result & (POST_REFUSED - 1);
    if (result >= PROMISES_WAITING) this.drain();
    if (count < 0) this.fail(count);
    if (this.#blocked.size > 0) this.retryBlocked();
    if (count > 0) this.domain.operationsEnded();
    if (posts !== undefined) PostBatch.check(posts);
    return check<number>(count, 'fi_cq_read', 'cannot read completions');
  }

  /** The provider's text for a `providerError` of a batch: fi_cq_strerror(3). */
  strerror(providerError: number): string {
    if (!Number.isInteger(providerError) || Math.abs(providerError) >= 2 ** 31) {
      throw new RangeError(`providerError: expected a 32-bit integer, not ${show(providerError)}`);
    }
    return check<string>(
      binding.completionQueueStrerror(handleOf(this), providerError),
      'fi_cq_strerror',
      'cannot describe an error',
    );
  }

  /**
   * What entry `index` of a batch that {@link read} has filled says of its failed operation: the FabricError that the promise
   * door would have rejected with, provider's words and hint included.
   *
   * @param doing - How its message begins.
   * @returns undefined for an operation that did not fail.
   */
  errorOf(batch: CompletionBatch, index: number, doing = 'an operation failed'): FabricError | undefined {
    CompletionBatch.memoryOf(batch);
    const errno = batch.error[index];
    if (errno === undefined)
      throw new RangeError(`index: expected one of ${batch.capacity} entries, not ${show(index)}`);
    if (errno === 0) return undefined;
    const providerErrno = batch.providerError[index]!;
    const message = this.closed ? '' : this.strerror(providerErrno);
    const provider = { name: this.#provider, errno: providerErrno, message };
    return operationError(doing, { errno, syscall: 'fi_cq_readerr' }, provider);
  }

  /** @internal An operation of the promise door was posted. */
  track(slot: number, operation: PendingOperation): void {
    this.#operations[slot] = operation;
    this.#outstanding++;
    this.#stayReachable();
    this.#progress?.kick();
  }

  /** @internal Something of a referenced endpoint became outstanding (1) or ended (-1). */
  reference(change: number): void {
    const before = this.#referenced;
    this.#referenced += change;
    if ((before === 0) !== (this.#referenced === 0) && !this.closed) {
      this.#progress?.setReferenced(this.#referenced > 0);
    }
  }

  /** @internal */
  get referenced(): boolean {
    return this.#referenced > 0;
  }

  /** @internal */
  get blocked(): boolean {
    return this.#blocked.size > 0;
  }

  /** @internal A post of `owner` was refused for now. */
  block(owner: OperationOwner): void {
    this.#blocked.add(owner);
    this.#stayReachable();
    if (this.#progress === undefined) return;
    binding.progressSetBlocked(handleOf(this), true);
    this.#progress.kick();
  }

  /** @internal Nobody waits for an operation any more. It stays in flight, and keeps its buffer in place. */
  forget(slot: number): void {
    const operation = this.#operations[slot];
    if (operation === undefined) return;
    this.#operations[slot] = undefined;
    this.#outstanding--;
    operation.ended();
  }

  /** @internal The slot of an operation that is still outstanding, or -1. */
  slotOf(operation: PendingOperation): number {
    return this.#operations.indexOf(operation);
  }

  /** @internal What `owner` has outstanding. */
  operationsOf(owner: OperationOwner): PendingOperation[] {
    return this.#operations.filter((operation) => operation?.owner === owner) as PendingOperation[];
  }

  #stayReachable(): void {
    if (this.#isActive) return;
    this.#isActive = true;
    active.add(this);
  }

  #forgetMe(): void {
    this.#isActive = false;
    active.delete(this);
  }

  /** @internal Nobody may be left who waits for anything here. */
  fellQuiet(): void {
    if (this.outstanding === 0 && this.#blocked.size === 0) this.#forgetMe();
  }

  override afterClose(): void {
    this.#forgetMe();
    this.#remoteWrites.fail(ERRORS.FI_ECANCELED);
  }

  /** @internal Settles what has completed. @returns how many operations that were. */
  drain(): number {
    return this.#settle((handle, memory) => binding.completionQueueReadPromises(handle, memory));
  }

  /** @internal Settles what was given up with an endpoint that has been closed, and asks the provider for nothing. */
  drainWaiting(): void {
    this.#settle((handle, memory) => binding.completionQueueTakeWaiting(handle, memory));
  }

  #settle(read: (handle: number, memory: number) => number): number {
    let total = 0;
    while (!this.closed) {
      const count = read(handleOf(this), CompletionBatch.memoryOf(this.#ring));
      if (count < 0) this.fail(count);
      if (count <= 0) break;
      total += count;
      this.dispatch(count);
    }
    return total;
  }

  /** @internal Settles the first `count` entries of the ring. */
  dispatch(count: number): void {
    const ring = this.#ring;
    for (let i = 0; i < count; i++) {
      const slot = ring.context[i]!;
      if (slot === NO_OPERATION) {
        this.#remoteWrites.push(this.#completion(i));
        continue;
      }
      const operation = this.#operations[slot];
      if (operation === undefined) continue;
      const error = ring.error[i]!;
      const isOver =
        !operation.isMany || (ring.flags[i]! & OPERATION_FLAGS.FI_MULTI_RECV) !== 0n || error === ERRORS.FI_ECANCELED;
      if (isOver) {
        this.#operations[slot] = undefined;
        this.#outstanding--;
      }
      if (error === 0) {
        operation.succeed(this.#completion(i, operation));
      } else {
        const message = this.closed ? '' : binding.completionQueueErrorText(handleOf(this), slot);
        operation.fail(error, { name: this.#provider, errno: ring.providerError[i]!, message });
      }
      if (isOver) operation.ended();
    }
    // A ping-pong would come and go with every message: while the queue spins, that waits until it falls quiet.
    if (this.#progress?.isSpinning !== true) this.fellQuiet();
    if (this.#blocked.size > 0) this.retryBlocked();
    this.domain.operationsEnded();
  }

  #completion(index: number, operation?: PendingOperation): Completion {
    const ring = this.#ring;
    const flags = ring.flags[index]!;
    const completion: { -readonly [K in keyof Completion]: Completion[K] } = {
      length: ring.length[index]!,
      flags,
    };
    if (operation?.tagged === true) completion.tag = ring.tag[index]!;
    if (operation?.isMany === true) completion.offset = ring.offset[index]!;
    if ((flags & OPERATION_FLAGS.FI_REMOTE_CQ_DATA) !== 0n) completion.data = ring.data[index]!;
    if (ring.source[index]! >= 0) completion.source = ring.source[index]!;
    return completion;
  }

  /** @internal Posts again what the provider refused. */
  retryBlocked(): void {
    if (this.#blocked.size === 0) return;
    const owners = [...this.#blocked];
    this.#blocked.clear();
    for (const owner of owners) owner.retryBlocked();
    if (this.#blocked.size === 0 && this.#progress !== undefined && !this.closed) {
      binding.progressSetBlocked(handleOf(this), false);
    }
  }

  /** @internal The queue is broken: whoever waits hears of it. */
  fail(result: number): void {
    this.#failure ??= -result;
    const waiting = this.#operations.splice(0);
    this.#outstanding = 0;
    this.#forgetMe();
    this.#remoteWrites.fail(this.#failure);
    for (const operation of waiting) {
      operation?.fail(this.#failure);
      operation?.ended();
    }
  }

  /** @internal @throws FabricError when the queue has failed before. */
  checkUsable(): void {
    if (this.#failure === undefined) return;
    throw fabricError('the completion queue has failed', {
      errno: this.#failure,
      syscall: 'fi_cq_read',
    });
  }
}

function checkSpin(microseconds: number, name: string): void {
  const isNumber = typeof (microseconds as unknown) === 'number';
  if (isNumber && microseconds >= 0 && microseconds <= LONGEST_SPIN_MICROSECONDS) return;
  throw new RangeError(`${name}: expected a number from 0 to ${LONGEST_SPIN_MICROSECONDS}, not ${show(microseconds)}`);
}
