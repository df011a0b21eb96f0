/** Texts of real failures, as the issues that are named with each signature have them. */
import { describe, expect, it } from 'vitest';
import { LOG_SIGNATURES, matchLog, ncclTransport } from 'node-libfabric/doctor';

const LOGS: readonly (readonly [string, readonly string[]])[] = [
  ['NET/OFI OFI fi_getinfo() call failed: No data available', ['NO-DATA']],
  ['fi_getinfo: -61 (No data available)', ['NO-DATA']],
  [
    'libfabric:6708:1795444424::core:core:fi_getinfo_():1392<warn> fi_getinfo: provider efa output empty list',
    ['NO-DATA'],
  ],
  [
    `libfabric:1:2:efa:ep_data:efa_device_construct_gid():47<warn> ibv_open_device failed! errno: 2
libfabric:1:2:efa:fabric:efa_device_list_initialize():302<warn> efa_device_construct_gid failed for device_idx 0, err=-2
libfabric:1:2:core:core:fi_getinfo_():1391<warn> fi_getinfo: provider efa output empty list
fi_getinfo: -61 (No data available)`,
    ['FOREIGN-DEVICE', 'NO-DATA'],
  ],
  [
    'Libfabric error: (-12) Cannot allocate memory\nEFA internal error: (4112) Failure to post internal receive buffers',
    ['LOCKED-MEMORY'],
  ],
  ['Error: fi_pingpong test returned 103.', ['LOCKED-MEMORY']],
  ['fi_enable(): common/shared.c:1000, ret=-12 (Cannot allocate memory)', ['LOCKED-MEMORY']],
  ['Reboot is needed!', ['REBOOT']],
  ['Failed to unload EFA kernel module.', ['REBOOT']],
  ['Error: EFA libfabric provider not detected.', ['NO-DATA']],
  ['/etc/profile.d/efa.sh: No such file', ['INCOMPLETE-INSTALLATION']],
  ["Couldn't find any optimal provider", ['INCOMPLETE-INSTALLATION']],
  ['Minimal installation does not include libfabric, skipping test.', ['INCOMPLETE-INSTALLATION']],
  ['bash: fi_info: command not found', ['INCOMPLETE-INSTALLATION']],
  [
    "libfabric.so.1: version `FABRIC_1.7' not found (required by /opt/libnccl-net.so) No plugin found",
    ['FABRIC-VERSION'],
  ],
  [
    "libnccl-net-ofi.so: /opt/rdma-core/build/lib/libibverbs.so.1: version `IBVERBS_PRIVATE_34' not found (required by /usr/lib/x86_64-linux-gnu/libefa.so.1)\nCould not find: ofi",
    ['IBVERBS-PRIVATE', 'NO-PLUGIN'],
  ],
  ["version 'EFA_1.4' not found", ['EFA-VERSION']],
  [
    "NET/Plugin: libnccl-net.so: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found\nNET/IB : No device found.\nInitialized NET plugin Socket",
    ['GLIBC', 'SOCKET'],
  ],
  [
    'NET/Plugin: Could not find: libnccl-net.so\nNET/Socket : Using [0]eth0\nUsing network Socket',
    ['NO-PLUGIN', 'SOCKET'],
  ],
  ['GDR disabled on GDR-supported instance type p4d.24xlarge', ['GDR-REQUIRED']],
  ['FI_OPT_EFA_EMULATED_WRITE is true when the communication protocol is RDMA write.', ['EMULATED-WRITE']],
  [
    'FI_EFA_USE_DEVICE_RDMA=1 was set by user, but EFA device has no rdma-read capability.  Application will abort().',
    ['NO-RDMA-READ'],
  ],
  [
    'FI_EFA_MTU_SIZE env variable detected! The use of this variable has been deprecated and as such execution cannot proceed.',
    ['DEPRECATED-VARIABLE'],
  ],
  ['NET/OFI Selected Provider is tcp (found 1 nics)', ['PLUGIN-WITHOUT-AWS']],
  ['Disabling shared memory failed: Protocol not available', ['PLUGIN-WITHOUT-AWS']],
  ['Unable to insert remote address into address vector for device 1', ['SECURITY-GROUP']],
  ['A process has executed an operation involving a call to the fork() system call', ['FORK']],
  ['OSError: [Errno 12] Cannot allocate memory', ['FORK-HUGE-PAGES']],
  ['0/4 nodes are available: 4 Insufficient vpc.amazonaws.com/efa', ['POD-EFA']],
  ['0/4 nodes are available: 4 Insufficient hugepages-2Mi', ['POD-HUGE-PAGES']],
  ['No valid EFA devices found', ['DEVICE-PLUGIN']],
  ['Unable to register MR: Cannot allocate memory', ['REGISTRATION']],
  ['Error: unknown package found: DEBS/UBUNTU2204/x86_64/debug/rdma-core/*.deb', ['DEBUG-PACKAGES']],
  ['NET/IB: Got completion from peer with status=IBV_WC_REM_ACCESS_ERR(10)', ['NVSWITCH-CARD']],
  ["Couldn't set FI_OPT_CUDA_API_PERMITTED", ['OLD-LIBFABRIC']],
  ['EFA provider requires at least libfabric version 1.22.0.', ['OLD-LIBFABRIC']],
  [
    'libfabric:1:2:core:core:fi_getinfo:1<warn> provider tcp  is unknown, misspelled or DL provider?',
    ['UNKNOWN-PROVIDER'],
  ],
  ['No IB devices found', ['NO-RDMA-DEVICE']],
  ['Failed to get IB devices list: Function not implemented', ['NO-RDMA-DEVICE']],
  ['node01:1:2 [0] NCCL INFO Failed to open libibverbs.so[.1]', ['NO-LIBIBVERBS']],
  ['node01: Channel 00/0 : 0[0] -> 8[0] [receive] via NET/Socket/0', ['SOCKET']],
];

const HEALTHY = `NET/Plugin: Loaded net plugin Libfabric (v11)
NET/OFI Initializing aws-ofi-nccl 1.19.0
NET/OFI Using Libfabric version 2.4
NET/OFI Plugin selected platform: AWS
NET/OFI Using transport protocol RDMA (platform set)
NET/OFI Selected provider is efa, fabric is efa-direct (found 16 nics)
NET/OFI Selected Provider is efa (found 4 nics)
Using network AWS Libfabric
Channel 00/0 : 0[0] -> 8[0] [receive] via NET/AWS Libfabric/1/GDRDMA
libfabric:6708:1795444424::core:core:ofi_register_provider():502<info> registering provider: efa (201.0)
NET/Plugin: Failed to find ncclNetPlugin_v8 symbol.
TUNER/Plugin: Could not find: libnccl-tuner.so
PROFILER/Plugin: Could not find: libnccl-profiler.so.
NET/IB : No device found.
Opened fabric: efa-direct`;

describe('a log', () => {
  it.each([
    [
      'NET/OFI Selected Provider is efa (found 4 nics)\nChannel 00/0 : 0[0] -> 8[0] via NET/AWS Libfabric/1/GDRDMA',
      'NET/OFI (efa)',
    ],
    ['Channel 00/0 : 0[0] -> 8[0] [receive] via NET/Libfabric/0/GDRDMA', 'NET/OFI (efa)'],
    ['Using network AWS Libfabric', 'NET/OFI (efa)'],
    ['NET/OFI Selected Provider is tcp (found 1 nics)\nUsing network AWS Libfabric', 'NET/OFI (tcp)'],
    ['Selected provider is efa\nChannel 00/0 : 0[0] -> 8[0] [send] via NET/Socket/0', 'NET/Socket'],
    ['Initialized NET plugin Socket', 'NET/Socket'],
    ['Using network IB', 'NET/IB'],
    ['nothing of the kind', undefined],
  ])('%j: NCCL took %s', (text, transport) => {
    expect(ncclTransport(text)).toBe(transport);
  });

  it('of one endless line is read in a moment', () => {
    const started = performance.now();
    for (const part of [
      'libnccl-net.so ',
      'provider ',
      'fi_enable(): ',
      'Error: unknown package found: ',
      'unreachable remote ',
    ])
      matchLog(part.repeat(200_000));
    // quadratic patterns would take minutes
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it.each(LOGS)('%s', (text, ids) => {
    expect(matchLog(`before\n${text}\nafter`).map(({ signature }) => signature.id)).toEqual(ids);
    expect(matchLog(`before\n${text}`)[0]!.line).toBeGreaterThan(1);
  });

  it('without a fault matches nothing', () => {
    expect(matchLog(HEALTHY)).toEqual([]);
  });

  it('is known for each signature by a text here', () => {
    const told = new Set(LOGS.flatMap(([, ids]) => ids));
    expect(LOG_SIGNATURES.map(({ id }) => id).filter((id) => !told.has(id))).toEqual([]);
  });
});
