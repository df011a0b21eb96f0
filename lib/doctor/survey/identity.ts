/** Which machine this is, and in what it is contained. */
import { EFA_INSTANCES, type EfaInstance } from '../../data/efa-instances.js';
import type { Host } from '../host.js';

/** A machine by its own words. */
export interface Identity {
  readonly vendor: string | undefined;
  readonly isEc2: boolean;
  readonly instanceType: string | undefined;
  readonly instanceId: string | undefined;
  /** What a machine of this type has. */
  readonly expected: EfaInstance | undefined;
  readonly arch: string | undefined;
  readonly kernel: string | undefined;
  readonly container: Container | undefined;
}

/** A container and the sign by which it is known. */
export interface Container {
  readonly kind: 'kubernetes' | 'ecs' | 'docker' | 'podman' | 'enroot' | 'container';
  readonly sign: string;
}

/** Where the firmware says what machine this is. */
export const DMI = '/sys/devices/virtual/dmi/id';

/** `expect` names a type where the machine does not. */
export function readIdentity(host: Host, expect?: string): Identity {
  const { files } = host;
  const vendor = files.text(`${DMI}/sys_vendor`);
  const answer = host.live?.instance;
  const isNamed = vendor === 'Amazon EC2';
  const isEc2 = expect !== undefined || isNamed || answer?.type !== undefined;
  const instanceType = expect ?? answer?.type ?? (isNamed ? files.text(`${DMI}/product_name`) : undefined);
  return {
    vendor,
    isEc2,
    instanceType,
    instanceId: answer?.id ?? (isNamed ? files.text(`${DMI}/board_asset_tag`) : undefined),
    expected: EFA_INSTANCES.get(instanceType ?? ''),
    arch: host.machine,
    kernel: host.kernel,
    container: readContainer(host),
  };
}

function readContainer({ files, environment }: Host): Container | undefined {
  if (environment['KUBERNETES_SERVICE_HOST'] !== undefined)
    return { kind: 'kubernetes', sign: 'KUBERNETES_SERVICE_HOST' };
  if (environment['ECS_CONTAINER_METADATA_URI_V4'] !== undefined) {
    return { kind: 'ecs', sign: 'ECS_CONTAINER_METADATA_URI_V4' };
  }
  const enroot = Object.keys(environment).find((name) => name.startsWith('ENROOT_'));
  if (enroot !== undefined) return { kind: 'enroot', sign: enroot };
  if (files.exists('/.dockerenv')) return { kind: 'docker', sign: '/.dockerenv' };
  if (files.exists('/run/.containerenv')) return { kind: 'podman', sign: '/run/.containerenv' };
  const groups = /(kubepods|docker|containerd|ecs)/.exec(files.text('/proc/self/cgroup') ?? '')?.[1];
  if (groups === undefined) return undefined;
  const kinds = { kubepods: 'kubernetes', docker: 'docker', ecs: 'ecs', containerd: 'container' } as const;
  return { kind: kinds[groups as keyof typeof kinds], sign: '/proc/self/cgroup' };
}

/**
 * Whether the NCCL plugin gives EFA up on this type when GPUs cannot be reached from the network card: its table of
 * platforms in aws-ofi-nccl, by families.
 */
export function needsGpuDirect(instanceType: string | undefined): boolean {
  if (instanceType === undefined || ['p5.4xlarge', 'g7e.8xlarge'].includes(instanceType)) return false;
  return /^(p4de?\.|p5(e|en)?\.|p6[a-z]*-|g7e\.|trn\d|inf2)/.test(instanceType);
}
