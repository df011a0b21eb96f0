/** The public types, which `npm run typecheck` holds: a change of one shows up here. */
import {
  checkEnvironment,
  type CollectiveGroup,
  describe as describeInfo,
  type Endpoint,
  getInfo,
  getParams,
  type MulticastGroup,
  openLog,
  toText,
  version,
  type AddressVector,
  type AddressVectorSet,
  type AtomicArray,
  type Completion,
  type EndpointOptionValue,
  type EnvironmentProblem,
  type FabricLog,
  type Flags,
  type CAPABILITIES,
  type Info,
  type InfoLike,
  type LogMessage,
  type PeerToPeer,
  type ProviderParameter,
} from 'node-libfabric';
import { describe, expectTypeOf, it } from 'vitest';

describe('the public types', () => {
  it('are those of discovery', () => {
    expectTypeOf(getInfo).returns.toEqualTypeOf<Info[]>();
    expectTypeOf<Info['caps']>().toEqualTypeOf<Flags<typeof CAPABILITIES>>();
    expectTypeOf<Info['epAttr']['maxMsgSize']>().toEqualTypeOf<number>();
    expectTypeOf(describeInfo).returns.toEqualTypeOf<string>();
    expectTypeOf(describeInfo)
      .parameter(1)
      .extract<string>()
      .toEqualTypeOf<'info' | 'txAttr' | 'rxAttr' | 'epAttr' | 'domainAttr' | 'fabricAttr'>();
    expectTypeOf(toText).parameter(1).toEqualTypeOf<bigint | number>();
    expectTypeOf(version).returns.toEqualTypeOf<string>();
  });

  it('are those of parameters and the log', () => {
    expectTypeOf(getParams).returns.toEqualTypeOf<ProviderParameter[]>();
    expectTypeOf<ProviderParameter['type']>().toEqualTypeOf<'string' | 'int' | 'bool' | 'size_t'>();
    expectTypeOf(checkEnvironment).returns.toEqualTypeOf<EnvironmentProblem[]>();
    expectTypeOf(openLog).returns.toEqualTypeOf<FabricLog>();
    expectTypeOf<LogMessage['level']>().toEqualTypeOf<'warn' | 'trace' | 'info' | 'debug'>();
  });

  it('are those of address vectors and groups', () => {
    expectTypeOf<AddressVector['insertMany']>().returns.toEqualTypeOf<number[]>();
    expectTypeOf<AddressVector['insertService']>().parameter(1).toEqualTypeOf<string | number>();
    expectTypeOf<AddressVectorSet['members']>().toEqualTypeOf<number[]>();
    expectTypeOf<(typeof CollectiveGroup)['join']>().returns.resolves.toEqualTypeOf<CollectiveGroup>();
    expectTypeOf<(typeof MulticastGroup)['join']>().returns.resolves.toEqualTypeOf<MulticastGroup>();
    expectTypeOf<Float64Array>().toExtend<AtomicArray>();
    expectTypeOf<Uint8ClampedArray>().not.toExtend<AtomicArray>();
  });

  it('are those of endpoints', () => {
    expectTypeOf<Endpoint['send']>().returns.resolves.toEqualTypeOf<Completion>();
    expectTypeOf<EndpointOptionValue<'FI_OPT_MIN_MULTI_RECV'>>().toEqualTypeOf<number>();
    expectTypeOf<EndpointOptionValue<'FI_OPT_CUDA_API_PERMITTED'>>().toEqualTypeOf<boolean>();
    expectTypeOf<EndpointOptionValue<'FI_OPT_FI_HMEM_P2P'>>().toEqualTypeOf<PeerToPeer>();
    expectTypeOf<(typeof Endpoint)['open']>().parameter(0).toEqualTypeOf<InfoLike>();
    expectTypeOf<Info>().toExtend<InfoLike>();
    expectTypeOf<Omit<Info, 'raw'>>().toExtend<InfoLike>();
    expectTypeOf<Endpoint['info']>().toEqualTypeOf<Info>();
  });
});
