/** The flags that operations of an endpoint have by default, and aliases, which have others. */
import { binding } from './binding.js';
import { OPERATION_FLAGS } from './constants.js';
import type { Counter } from './counter.js';
import { AtomicEndpoint } from './endpoint-atomics.js';
import { check, show } from './errors.js';
import { encodeFlags, flags, type Flags, type FlagsInput } from './fields.js';
import { handleOf } from './resource.js';

/** Whose flags are meant: those of operations that transmit, or of receives. */
export type Side = 'transmit' | 'receive';

/** An endpoint whose operations have flags by default: those that are posted without any. */
export abstract class EndpointWithDefaults extends AtomicEndpoint {
  /**
   * Flags that operations have by default, which are those without `options.flags`, `data` and the like:
   * fi_control(3) with FI_GETOPSFLAG.
   *
   * @throws FabricError `FI_ENOSYS` where the provider does not say; those it was opened with are in `info`.
   */
  getOperationFlags(side: Side): Flags<typeof OPERATION_FLAGS> {
    const raw = binding.endpointOperationFlags(handleOf(this), false, sideBit(side));
    const bits = check<bigint>(raw, 'fi_control', `cannot read the flags of ${side}`);
    return flags(OPERATION_FLAGS).decode(bits & ~sideBit(side));
  }

  /**
   * Changes them: fi_control(3) with FI_SETOPSFLAG.
   *
   * @throws TypeError for flags that only an operation itself can have: FI_TRIGGER, FI_MULTI_RECV, FI_MULTICAST;
   * FabricError as {@link getOperationFlags}.
   */
  setOperationFlags(side: Side, value: FlagsInput<typeof OPERATION_FLAGS>): void {
    const bits = defaultFlags(side, value, 'value');
    check(binding.endpointOperationFlags(handleOf(this), true, bits), 'fi_control', `cannot set the flags of ${side}`);
  }
}

/**
 * The same endpoint with other flags by default: {@link Endpoint.alias}. Its operations are the endpoint's: they complete
 * in the same queue, and closing the alias leaves them alone.
 */
export class EndpointAlias extends EndpointWithDefaults {
  /** What it is an alias of; closing that closes the alias. */
  readonly endpoint: EndpointWithDefaults;

  /** @internal */
  constructor(endpoint: EndpointWithDefaults, side: Side, value: FlagsInput<typeof OPERATION_FLAGS>) {
    const opened = binding.endpointAlias(handleOf(endpoint), defaultFlags(side, value, 'flags'));
    const handle = check<number>(opened, 'fi_ep_alias', 'cannot open an alias');
    const { info, domain, completionQueue, addressVector } = endpoint;
    super(handle, info, domain, completionQueue, addressVector, { parents: [endpoint] });
    this.endpoint = endpoint;
  }

  /** @internal */
  override own(counter: Counter): void {
    this.endpoint.own(counter);
  }
}

/** What only an operation itself can have: the context or the buffer is another thing with it. */
const NEVER_BY_DEFAULT = ['FI_TRIGGER', 'FI_MULTI_RECV', 'FI_MULTICAST'] as const;

function defaultFlags(side: Side, value: FlagsInput<typeof OPERATION_FLAGS>, name: string): bigint {
  const bits = encodeFlags(value, OPERATION_FLAGS, name);
  const wrong = NEVER_BY_DEFAULT.find((flag) => (bits & OPERATION_FLAGS[flag]) !== 0n);
  if (wrong !== undefined) throw new TypeError(`${name}: ${wrong} can only be asked for with an operation`);
  return bits | sideBit(side);
}

/** FI_TRANSMIT or FI_RECV. */
function sideBit(side: Side): bigint {
  const bit = { transmit: OPERATION_FLAGS.FI_SEND, receive: OPERATION_FLAGS.FI_RECV }[side] as bigint | undefined;
  if (bit !== undefined) return bit;
  throw new TypeError(`side: expected 'transmit' or 'receive', not ${show(side)}`);
}
