/**
 * What NCCL, Open MPI, libfabric and the EFA installer write when EFA does not work, and what it means.
 *
 * Sources: the issues that are named with each; state of 2026-08. A pattern matches the text of the program, not a node's
 * name or number, and nothing that a healthy run writes.
 */
import type { Fix } from './check.js';

/** A text by which a fault is known. */
export interface LogSignature {
  readonly id: string;
  readonly pattern: RegExp;
  readonly meaning: string;
  readonly fix: Fix['host'];
  /** Checks that find the same on the machine. */
  readonly checks: readonly string[];
  readonly references: readonly string[];
}

const github = (...issues: string[]): string[] =>
  issues.map((issue) => `https://github.com/${issue.replace('#', '/issues/')}`);

/** The most telling first. */
export const LOG_SIGNATURES: readonly LogSignature[] = [
  {
    id: 'GLIBC',
    pattern: /libnccl-net[\w.-]{0,40}\.so[^\n]{0,300}version `GLIBC_\d[\d.]*' not found/,
    meaning: 'The plugin was built for a newer glibc than this image has: libraries of the host are mounted.',
    fix: ['Do not mount the plugin of the host: install it in the image.'],
    checks: ['NCCL-02'],
    references: github('awslabs/awsome-distributed-ai#292'),
  },
  {
    id: 'FABRIC-VERSION',
    pattern: /libfabric\.so\.1: version `FABRIC_\d[\d.]*' not found/,
    meaning: 'The plugin wants a newer libfabric than the loader finds.',
    fix: ['Take libfabric and plugin from one EFA installer.'],
    checks: ['NCCL-02', 'LF-01'],
    references: github('awslabs/awsome-distributed-ai#292'),
  },
  {
    id: 'IBVERBS-PRIVATE',
    pattern: /version `IBVERBS_PRIVATE_\d+' not found/,
    meaning: 'libefa meets a libibverbs of another rdma-core, usually one of HPC-X.',
    fix: ['Take the other libibverbs out of LD_LIBRARY_PATH.'],
    checks: ['VERBS-02'],
    references: github('NVIDIA-NeMo/Megatron-Bridge#2824'),
  },
  {
    id: 'EFA-VERSION',
    pattern: /version [`']EFA_\d[\d.]*' not found/,
    meaning: 'libfabric wants a newer libefa: rdma-core is older than libfabric.',
    fix: ['Run the EFA installer in the last stage of the image, rather than copying /opt/amazon.'],
    checks: ['VERBS-03'],
    references: github('PrimeIntellect-ai/prime-rl#3454'),
  },
  {
    id: 'NO-PLUGIN',
    pattern: /NET\/Plugin: Could not find: libnccl-net\.so|Could not find: ofi\b/,
    meaning: 'NCCL did not find aws-ofi-nccl and goes on with its own transports, TCP mostly.',
    fix: ['Put /opt/amazon/ofi-nccl/lib into ld.so.conf.d (and ldconfig) or LD_LIBRARY_PATH.'],
    checks: ['NCCL-01'],
    references: github('NVIDIA-NeMo/RL#1973', 'NVIDIA-NeMo/RL#2585'),
  },
  {
    id: 'FOREIGN-DEVICE',
    pattern: /ibv_open_device failed! errno: \d+|efa_device_construct_gid failed/,
    meaning:
      'One RDMA device cannot be opened, and libfabric up to 2.6 then gives up all of efa. The errno may not be the real one.',
    fix: ['Pass the nodes of every RDMA device, or none of the other makes; or a libfabric newer than 2.6.'],
    checks: ['DEV-02', 'DEV-03'],
    references: github('ofiwg/libfabric#12708', 'NVIDIA/nccl#2428'),
  },
  {
    id: 'GDR-REQUIRED',
    pattern: /GDR disabled on GDR-supported instance type/,
    meaning:
      'GPU memory cannot be reached from the network cards, and the plugin gives up on this type: NCCL takes TCP.',
    fix: ['See GPU-01: open NVIDIA kernel modules, efa_nv_peermem, p2p in sysfs.'],
    checks: ['GPU-01'],
    references: github('aws/aws-ofi-nccl#889'),
  },
  {
    id: 'EMULATED-WRITE',
    pattern: /FI_OPT_EFA_EMULATED_WRITE is true when the communication protocol is RDMA write/,
    meaning: 'Device RDMA is off, usually by FI_EFA_USE_DEVICE_RDMA=0; the RDMA protocol refuses to run.',
    fix: ['unset FI_EFA_USE_DEVICE_RDMA'],
    checks: ['ENV-04'],
    references: ['https://github.com/aws/aws-ofi-nccl/blob/master/doc/efa-env-var.md'],
  },
  {
    id: 'NO-RDMA-READ',
    pattern: /FI_EFA_USE_DEVICE_RDMA=1 was set by user, but EFA device has no rdma-read capability/,
    meaning: 'Device RDMA was forced on hardware that has none; the process ends.',
    fix: ['unset FI_EFA_USE_DEVICE_RDMA'],
    checks: ['ENV-04'],
    references: ['https://ofiwg.github.io/libfabric/main/man/fi_efa.7.html'],
  },
  {
    id: 'DEPRECATED-VARIABLE',
    pattern: /env variable detected! The use of this variable has been deprecated and as such execution cannot proceed/,
    meaning: 'A variable such as FI_EFA_MTU_SIZE is set, which efa refuses by ending the process.',
    fix: ['unset FI_EFA_MTU_SIZE FI_EFA_TX_IOV_LIMIT FI_EFA_RX_IOV_LIMIT'],
    checks: ['ENV-02'],
    references: ['https://ofiwg.github.io/libfabric/main/man/fi_efa.7.html'],
  },
  {
    id: 'LOCKED-MEMORY',
    pattern:
      /Failure to post internal receive buffers|Libfabric error: \(-12\) Cannot allocate memory|fi_enable\(\):[^\n]{0,300}ret=-12|fi_pingpong test returned 103/,
    meaning: 'Memory cannot be locked (or more than 256 queue pairs are wanted of a card): endpoints do not open.',
    fix: ['ulimit -l unlimited; with more than 128 ranks a card: attach all EFA devices.'],
    checks: ['LIM-01'],
    references: github('awslabs/awsome-distributed-ai#647', 'ofiwg/libfabric#9356', 'aws/aws-cdi-sdk#48'),
  },
  {
    id: 'SECURITY-GROUP',
    pattern:
      /Unable to insert remote address into address vector for device|EFA internal error: \((4126|15)\)|[Uu]nreachable remote[^\n]{0,300}\b4126\b/,
    meaning:
      'Peers cannot be reached: the security group has no rule for itself, or the peer is in another zone or VPC.',
    fix: ['All traffic from and to the group itself, inbound and outbound; one VPC and availability zone.'],
    checks: ['NET-01'],
    references: github('aws/aws-ofi-nccl#663', 'awslabs/awsome-distributed-ai#546'),
  },
  {
    id: 'FORK',
    pattern: /A process has executed an operation involving a call\s+to the fork\(\) system call/,
    meaning: 'A program forked without fork support, on an old kernel or rdma-core.',
    fix: ['FI_EFA_FORK_SAFE=1, or kernel 5.13 and rdma-core 35 or newer.'],
    checks: ['ENV-05'],
    references: github('ofiwg/libfabric#6332', 'ofiwg/libfabric#6610'),
  },
  {
    id: 'FORK-HUGE-PAGES',
    pattern: /OSError: \[Errno 12\] Cannot allocate memory/,
    meaning: 'os.fork had no memory: usually it could not copy the huge pages that efa uses.',
    fix: ['FI_EFA_USE_HUGE_PAGE=0; if that changes nothing, memory itself is short.'],
    checks: ['LIM-02'],
    references: github('aws/aws-ofi-nccl#69', 'aws/aws-ofi-nccl#179'),
  },
  {
    id: 'REGISTRATION',
    pattern: /Unable to register MR: Cannot allocate memory/,
    meaning: 'A registration of more than about 95 GB has too many small pages.',
    fix: ['Use huge pages for what is registered.'],
    checks: ['LIM-02'],
    references: github('ofiwg/libfabric#9739'),
  },
  {
    id: 'PLUGIN-WITHOUT-AWS',
    pattern: /Selected [Pp]rovider is tcp\b|Disabling shared memory failed: Protocol not available/,
    meaning: "A plugin that was not built for AWS took libfabric's tcp.",
    fix: ['Use the plugin of the EFA installer.'],
    checks: ['NCCL-01'],
    references: github('aws/aws-ofi-nccl#803'),
  },
  {
    id: 'NVSWITCH-CARD',
    pattern: /NET\/IB: Got completion from peer with status=IBV_WC_REM_ACCESS_ERR/,
    meaning:
      "NCCL's own InfiniBand transport took a card that is not for this traffic (ibp*), since the plugin failed.",
    fix: ['Repair the plugin; NCCL_NET=Libfabric makes its failure an error.'],
    checks: ['NCCL-01', 'NCCL-02'],
    references: ['https://github.com/aws/aws-ofi-nccl'],
  },
  {
    id: 'OLD-LIBFABRIC',
    pattern: /Couldn't set FI_OPT_|EFA provider requires at least libfabric version/,
    meaning: "The libfabric that is found is older than the plugin wants: often a distribution's before Amazon's.",
    fix: ["Remove the distribution's libfabric, or put /opt/amazon/efa/lib first."],
    checks: ['LF-01', 'NCCL-02'],
    references: github('aws/aws-ofi-nccl#241'),
  },
  {
    id: 'NO-DATA',
    pattern:
      /fi_getinfo: -61\b|fi_getinfo\(\) call failed: No data available|provider efa output empty list|EFA libfabric provider not detected/,
    meaning: 'libfabric has no efa: no device, none that can be opened, or not built in.',
    fix: ['In containers: pass /dev/infiniband/uverbs*. Else run fabric-doctor on that node.'],
    checks: ['DEV-01', 'DEV-02', 'DEV-03', 'LF-03'],
    references: github('aws/aws-ofi-nccl#1020', 'aws/aws-ofi-nccl#879'),
  },
  {
    id: 'UNKNOWN-PROVIDER',
    pattern: /provider [^\n]{0,300} is unknown, misspelled or DL provider\?/,
    meaning: 'FI_PROVIDER names what this libfabric does not have; blanks and an empty value count.',
    fix: ['unset FI_PROVIDER'],
    checks: ['ENV-01'],
    references: ['https://ofiwg.github.io/libfabric/main/man/fabric.7.html'],
  },
  {
    id: 'INCOMPLETE-INSTALLATION',
    pattern:
      /\/etc\/profile\.d\/(zippy_)?efa\.sh: No such file|Minimal installation does not include libfabric|Couldn't find any optimal provider|fi_info: command not found/,
    meaning: 'The EFA software is not there as a whole, or not on PATH (/opt/amazon/efa/bin).',
    fix: ['Run the EFA installer without --minimal; in images with --skip-kmod. Log in again for PATH.'],
    checks: ['INST-01', 'LF-01'],
    references: ['https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html'],
  },
  {
    id: 'REBOOT',
    pattern: /Reboot is needed!|Failed to unload EFA kernel module/,
    meaning: 'The installer could not unload the old driver, which still runs.',
    fix: ['Reboot.'],
    checks: ['MOD-03'],
    references: ['https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html'],
  },
  {
    id: 'DEBUG-PACKAGES',
    pattern: /Error: unknown package found: \S{0,200}debug/,
    meaning: 'The installer was called with -d, which its release 1.40.0 does not manage.',
    fix: ['Leave -d away.'],
    checks: ['INST-01'],
    references: github('aws/aws-ofi-nccl#872'),
  },
  {
    id: 'POD-EFA',
    pattern: /Insufficient vpc\.amazonaws\.com\/efa/,
    meaning:
      'No node has so many EFA devices to give: the device plugin does not run there, or does not know the type.',
    fix: ['Update the EFA device plugin chart; look at its node labels.'],
    checks: ['PCI-01'],
    references: github('aws-samples/aws-do-eks#56'),
  },
  {
    id: 'POD-HUGE-PAGES',
    pattern: /Insufficient hugepages-2Mi/,
    meaning: 'Nodes have no huge pages reserved.',
    fix: ['Reserve them on the node (efa-config does), or drop the request.'],
    checks: ['LIM-02'],
    references: github('awslabs/awsome-distributed-ai#1230'),
  },
  {
    id: 'DEVICE-PLUGIN',
    pattern: /No valid EFA devices found/,
    meaning: 'The EFA device plugin is older than 0.5.10 and stumbles over devices of others.',
    fix: ['Update the EFA device plugin.'],
    checks: ['DEV-03'],
    references: github('aws/sagemaker-hyperpod-cli#282', 'aws/sagemaker-hyperpod-cli#367'),
  },
  {
    id: 'NO-RDMA-DEVICE',
    pattern: /No IB devices found|Failed to get IB devices list: Function not implemented/,
    meaning: 'ibv_devinfo sees no RDMA device: no EFA interface, or the modules ib_uverbs and efa are not loaded.',
    fix: ['On that node, run fabric-doctor: it tells these apart.'],
    checks: ['PCI-01', 'MOD-01', 'MOD-02'],
    references: ['https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html'],
  },
  {
    id: 'SOCKET',
    pattern: /Using network Socket|Initialized NET plugin Socket|via NET\/Socket/,
    meaning: 'NCCL runs over TCP. What it wrote before says why.',
    fix: ['NCCL_DEBUG=INFO and NCCL_NET=Libfabric make it say why, and stop.'],
    checks: ['NCCL-01', 'NCCL-02', 'GPU-01'],
    references: ['https://github.com/aws/aws-ofi-nccl'],
  },
  {
    id: 'NO-LIBIBVERBS',
    pattern: /Failed to open libibverbs\.so/,
    meaning: "A red herring: NCCL's own InfiniBand transport has no libibverbs. EFA does not go through it.",
    fix: ['Look for what became of the plugin: NET/OFI, NET/Plugin.'],
    checks: ['NCCL-01', 'NCCL-02'],
    references: github('NVIDIA/nccl#229', 'NVIDIA/nccl#959'),
  },
];

/** A signature and where it was seen first. */
export interface LogMatch {
  readonly signature: LogSignature;
  readonly line: number;
  readonly text: string;
}

/** Every known fault in a log, once each, the most telling first. */
export function matchLog(text: string): LogMatch[] {
  return LOG_SIGNATURES.flatMap((signature) => {
    const match = signature.pattern.exec(text);
    if (match === null) return [];
    const line = text.slice(0, match.index).split('\n').length;
    return [{ signature, line, text: match[0] }];
  });
}

/** What NCCL took, by its own words; undefined where it does not say. */
export function ncclTransport(text: string): string | undefined {
  const taken =
    /\bvia NET\/(\w+)/.exec(text)?.[1] ??
    /Using network (\w+)|Initialized NET plugin (\w+)/.exec(text)?.slice(1).find(Boolean);
  const provider = /Selected [Pp]rovider is ([\w;-]+)/.exec(text)?.[1];
  // its name was "AWS Libfabric" once
  if (taken === undefined || taken === 'Libfabric' || taken === 'AWS') {
    return provider === undefined && taken === undefined ? undefined : `NET/OFI (${provider ?? 'efa'})`;
  }
  return `NET/${taken}`;
}
