/**
 * Lifetime, the same for every object: a child keeps its parents alive, closing a parent closes its children first,
 * closing twice does nothing, and an object that nobody can reach any more is closed with its children.
 */
import { inspect } from 'node:util';
import { KEPT_BY_PROVIDER } from './binding.js';
import { ERRORS } from './constants.js';
import { describe } from './describe.js';
import { check, fabricError, show } from './errors.js';
import type { Info } from './info.js';

/** What outlives the JavaScript object: enough to close the native one when that object has been collected. */
interface Node {
  readonly handle: number;
  readonly syscall: string;
  readonly closeHandle: (handle: number) => number;
  readonly parents: Node[];
  readonly children: Set<Node>;
  readonly object: WeakRef<Resource>;
  /** Whether its siblings are closed before it: memory, which their operations use. */
  readonly isLast: boolean;
  closed: boolean;
}

function closeNode(node: Node): void {
  if (node.closed) return;
  const children = [...node.children].reverse();
  for (const child of children.filter(({ isLast }) => !isLast)) closeNode(child);
  for (const child of children.filter(({ isLast }) => isLast)) closeNode(child);
  // The end of a child may have been its own.
  if (node.closed as boolean) return;
  const object = node.object.deref();
  object?.beforeClose?.();
  const name = object?.constructor.name ?? 'an object';
  if (check(node.closeHandle(node.handle), node.syscall, `cannot close ${name}`) === KEPT_BY_PROVIDER) {
    process.emitWarning(
      `the provider keeps the ${name} busy; its resources stay until the process ends`,
      'FabricWarning',
    );
  }
  node.closed = true;
  for (const parent of node.parents) parent.children.delete(node);
  object?.afterClose?.();
}

const collected = new FinalizationRegistry<Node>((node) => {
  try {
    closeNode(node);
  } catch {
    // Nobody is left to tell; the environment's teardown closes what could not be closed here.
  }
});

/** An open libfabric object. */
export abstract class Resource {
  readonly #node: Node;
  /** Held on to, since they are closed with their children when nobody else holds them. */
  readonly #parents: Resource[];

  /** @param closeHandle - The native function that closes `handle`. */
  protected constructor(
    handle: number,
    closeHandle: (handle: number) => number,
    parents: readonly Resource[] = [],
    { syscall = 'fi_close', isLast = false } = {},
  ) {
    const node: Node = {
      handle,
      syscall,
      closeHandle,
      parents: parents.map((parent) => parent.#node),
      children: new Set(),
      object: new WeakRef(this),
      isLast,
      closed: false,
    };
    for (const parent of node.parents) parent.children.add(node);
    collected.register(this, node, node);
    this.#node = node;
    this.#parents = [...parents];
  }

  /** @internal Makes `parent` one more that stays open while this is, and that closes this first. */
  protected dependOn(parent: Resource): void {
    this.#parents.push(parent);
    this.#node.parents.push(parent.#node);
    parent.#node.children.add(this.#node);
  }

  /** Whether {@link close} has been called, here or on a parent. */
  get closed(): boolean {
    return this.#node.closed;
  }

  /**
   * Closes the object (fi_close(3)), and what was opened from it first. Operations in flight reject with `FI_ECANCELED`.
   * Idempotent.
   *
   * @throws FabricError when libfabric refuses.
   */
  close(): void {
    closeNode(this.#node);
    collected.unregister(this.#node);
  }

  /** {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** What it is and what it was opened with, as `fi_info -v` prints that: for `util.inspect` and `console.log`. */
  [inspect.custom](depth: number): string {
    const name = `${this.constructor.name} (${this.closed ? 'closed' : 'open'})`;
    const { info } = this as { info?: Info };
    return depth < 0 || info === undefined ? `[${name}]` : `${name} ${describe(info)}`;
  }

  /** @internal Called while the native object is still open. */
  beforeClose?(): void;

  /** @internal Called when it is not. */
  afterClose?(): void;

  /** @internal */
  static handleOf(resource: Resource): number {
    const node = resource.#node;
    if (node.closed) {
      const name = resource.constructor.name;
      throw fabricError(`the ${name} is closed`, { errno: ERRORS.FI_EBADF, syscall: node.syscall });
    }
    return node.handle;
  }
}

/** The native handle of an open object. @throws FabricError `FI_EBADF` when it is closed. */
export const handleOf = (resource: Resource): number => Resource.handleOf(resource);

/** The native handle of an argument that has to be an open object of a class. @throws TypeError for anything else. */
export function argumentHandle<T extends Resource>(
  value: T,
  expected: abstract new (...args: never[]) => T,
  name: string,
): number {
  if (value instanceof expected) return handleOf(value);
  throw new TypeError(`${name}: expected a ${expected.name}, not ${show(value)}`);
}

/**
 * The same for an argument whose class may not be imported, since it imports the caller: only the native side tells a
 * wrong one from the right one (`FI_EBADF`).
 */
export function resourceHandle(value: Resource, expected: string, name: string): number {
  if (value instanceof Resource) return handleOf(value);
  throw new TypeError(`${name}: expected a ${expected}, not ${show(value)}`);
}
