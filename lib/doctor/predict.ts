/** Which transport programs will take: a pure function of what is known. */
import { excludesEfa } from './checks/environment.js';
import { allowsProvider } from '../provider-filter.js';
import { isAtLeast } from './survey/version.js';

/** What decides. */
export interface PredictionInput {
  readonly environment: Readonly<Record<string, string>>;
  /** The first check that keeps libfabric from efa; undefined where nothing does. */
  readonly efaBlockedBy: { readonly id: string; readonly message: string; readonly breaks: boolean } | undefined;
  readonly libfabric: { readonly version: string | undefined; readonly loads: boolean } | undefined;
  /** The provider that libfabric listed first when it was asked. */
  readonly observed: string | undefined;
  /** What a log says that NCCL took. */
  readonly observedNccl: string | undefined;
  readonly plugin: { readonly loads: boolean; readonly why: string; readonly isForAws: boolean } | undefined;
  /** NCCL's plugin gives up without GPUDirect, and there is none. */
  readonly gpuDirectMissing: boolean;
  /** Device RDMA was turned off on hardware that NCCL's RDMA protocol wants it of. */
  readonly rdmaOff: boolean;
  /** Open MPI was built without libfabric. */
  readonly mpiLacksOfi: boolean;
  /** An InfiniBand card that NCCL's own transport would take. */
  readonly hasInfiniband: boolean;
}

/** What a program takes, and why. */
export interface Transport {
  /** E.g. `efa`, `tcp;ofi_rxm`, `NET/Socket`, `cm/ofi (efa)`; `none` where it fails. */
  readonly transport: string;
  readonly usesEfa: boolean;
  readonly why: string;
  readonly confidence: 'observed' | 'predicted';
}

/** Of the three. */
export interface Prediction {
  readonly libfabric: Transport;
  readonly nccl: Transport;
  readonly openmpi: Transport;
}

/** Reliable endpoints without hardware, in libfabric's order: with 2.x tcp has them itself. */
const SOFTWARE = {
  1: ['tcp;ofi_rxm', 'udp;ofi_rxd', 'shm', 'sockets', 'net'],
  2: ['tcp', 'tcp;ofi_rxm', 'shm', 'udp;ofi_rxd', 'sockets'],
};

const predicted = (transport: string, why: string): Transport => ({
  transport,
  usesEfa: transport.includes('efa'),
  why,
  confidence: 'predicted',
});

const asObserved = (transport: string, why: string): Transport => ({
  ...predicted(transport, why),
  confidence: 'observed',
});

/** Says it for libfabric, NCCL and Open MPI. */
export function predict(input: PredictionInput): Prediction {
  const libfabric = predictLibfabric(input);
  return { libfabric, nccl: predictNccl(input, libfabric), openmpi: predictOpenmpi(input, libfabric) };
}

function predictLibfabric({ environment, efaBlockedBy, libfabric, observed }: PredictionInput): Transport {
  const because = efaBlockedBy === undefined ? '' : `${efaBlockedBy.message} (${efaBlockedBy.id})`;
  if (efaBlockedBy?.breaks === true) return predicted('none', because);
  if (observed !== undefined) {
    return asObserved(observed, because === '' || observed === 'efa' ? "it is first in libfabric's own list" : because);
  }
  if (libfabric === undefined) return predicted('none', 'there is no libfabric');
  if (!libfabric.loads) return predicted('none', 'libfabric cannot be loaded');
  if (efaBlockedBy === undefined) return predicted('efa', 'nothing is in its way, and it comes first');
  const isNew = libfabric.version === undefined || isAtLeast(libfabric.version, '2');
  const next = SOFTWARE[isNew ? 2 : 1].find((provider) => allowsProvider(environment['FI_PROVIDER'], provider));
  return next === undefined
    ? predicted('none', `FI_PROVIDER allows nothing that is here; ${because}`)
    : predicted(next, because);
}

function predictNccl(input: PredictionInput, libfabric: Transport): Transport {
  const { environment, plugin } = input;
  if (input.observedNccl !== undefined) return asObserved(input.observedNccl, 'the log says so');
  const net = environment['NCCL_NET'];
  if (net === 'Socket') return predicted('NET/Socket', 'NCCL_NET=Socket');
  if (net === 'IB') return predicted('NET/IB', 'NCCL_NET=IB');
  const fallBack = (why: string): Transport => {
    if (net !== undefined) return predicted('none', `${why}; NCCL_NET=${net} makes that an error`);
    return input.hasInfiniband
      ? predicted('NET/IB', `${why}; NCCL takes its own transports`)
      : predicted('NET/Socket', why);
  };
  if (environment['NCCL_NET_PLUGIN'] === 'none') return fallBack('NCCL_NET_PLUGIN=none');
  if (plugin === undefined) return fallBack('there is no aws-ofi-nccl plugin on the path');
  if (!plugin.loads) return fallBack(plugin.why);
  if (!libfabric.usesEfa) {
    if (libfabric.transport === 'none' && input.efaBlockedBy?.breaks === true) return predicted('none', libfabric.why);
    if (plugin.isForAws || libfabric.transport === 'none')
      return fallBack(`the plugin takes efa or nothing; ${libfabric.why}`);
    return predicted(`NET/OFI (${libfabric.transport})`, 'a plugin that was not built for AWS takes any provider');
  }
  if (input.gpuDirectMissing) return fallBack('the plugin demands GPUDirect RDMA on this type, and it is not there');
  if (input.rdmaOff) return fallBack('FI_EFA_USE_DEVICE_RDMA=0: the RDMA protocol of the plugin refuses');
  return predicted('NET/OFI (efa)', 'the plugin loads, and libfabric has efa');
}

function predictOpenmpi({ environment, efaBlockedBy, mpiLacksOfi }: PredictionInput, libfabric: Transport): Transport {
  if (mpiLacksOfi) return predicted('ob1/btl/tcp', 'Open MPI was built without libfabric');
  const excluding = Object.entries(environment).find(([name, value]) => excludesEfa(name, value));
  if (excluding !== undefined) return predicted('ob1/btl/tcp', `${excluding[0]}=${excluding[1]}`);
  if (libfabric.usesEfa) return predicted('cm/mtl/ofi (efa)', 'libfabric has efa');
  if (libfabric.transport === 'none' && efaBlockedBy?.breaks === true) return predicted('none', libfabric.why);
  return predicted('ob1/btl/tcp', 'Open MPI takes no software provider of libfabric');
}
