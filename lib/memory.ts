/** JavaScript buffers as libfabric sees them: memory that stays where it is while an operation uses it. */
import { binding } from './binding.js';
import { ERRORS } from './constants.js';
import { check, show } from './errors.js';

/** A part of a registered backing store, ready for a native call. Reused from call to call: nothing is allocated. */
export interface Slice {
  memory: number;
  offset: number;
  length: number;
}

/** Native handles; a transferred buffer is another object, with a handle of its own. */
const memories = new WeakMap<ArrayBufferLike, number>();
const released = new FinalizationRegistry<number>((handle) => {
  binding.memoryRelease(handle);
});

const HINTS: Readonly<Record<number, string>> = {
  [ERRORS.FI_ENOSYS]: 'This JavaScript runtime does not export what keeps memory in place; Node.js does.',
  [ERRORS.FI_ENOMEM]:
    'Two million buffers are in use or not yet collected; use buffers again instead of making new ones.',
};

function isGrowable(store: ArrayBufferLike): boolean {
  const { resizable, growable } = store as { resizable?: boolean; growable?: boolean };
  return resizable === true || growable === true;
}

function openMemory(store: ArrayBufferLike, name: string): number {
  if (isGrowable(store)) {
    throw new TypeError(`${name}: its ArrayBuffer is resizable; libfabric needs memory that stays where it is`);
  }
  const opened = binding.memoryOpen(new Uint8Array(store));
  const handle = check<number>(
    opened,
    'v8::ArrayBuffer::GetBackingStore',
    `cannot use the memory of ${name}`,
    HINTS[-opened],
  );
  memories.set(store, handle);
  released.register(store, handle);
  return handle;
}

/**
 * Fills `slice` with where the bytes of `view` are.
 *
 * @throws TypeError for what is no ArrayBufferView, is detached or resizable.
 */
export function locate(view: ArrayBufferView, name: string, slice: Slice): void {
  if (!ArrayBuffer.isView(view)) {
    throw new TypeError(`${name}: expected an ArrayBufferView such as a Buffer or Uint8Array, not ${show(view)}`);
  }
  const store = view.buffer;
  const length = view.byteLength;
  // A detached buffer has no bytes, and so is seen wherever it matters: empty ones are rare.
  if (length === 0 && isDetached(store)) {
    throw new TypeError(`${name}: its ArrayBuffer is detached (it was transferred)`);
  }
  const memory = memories.get(store) ?? openMemory(store, name);
  slice.memory = memory;
  slice.offset = view.byteOffset;
  slice.length = length;
}

/** Node 20 has no ArrayBuffer.prototype.detached; a view can be made of every buffer that is not. */
function isDetached(store: ArrayBufferLike): boolean {
  try {
    new Uint8Array(store);
    return false;
  } catch {
    return true;
  }
}
