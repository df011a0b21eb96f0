/** What memory registration is asked for: fi_mr(3). */
import type { EnumTable, FlagTable } from './constants.js';

/** What may be done with a region: by operations of this process, and by peers. */
export const MR_ACCESS = {
  FI_READ: 1n << 8n,
  FI_WRITE: 1n << 9n,
  FI_RECV: 1n << 10n,
  FI_SEND: 1n << 11n,
  FI_REMOTE_READ: 1n << 12n,
  FI_REMOTE_WRITE: 1n << 13n,
  FI_COLLECTIVE: 1n << 6n,
} as const satisfies FlagTable;

/** Flags of fi_mr_regattr(3). */
export const MR_FLAGS = {
  FI_HMEM_HOST_ALLOC: 1n << 45n,
  FI_HMEM_DEVICE_ONLY: 1n << 46n,
  FI_RMA_PMEM: 1n << 49n,
  FI_RMA_EVENT: 1n << 56n,
} as const satisfies FlagTable;

/** `enum fi_hmem_iface`: whose memory it is. */
export const HMEM_INTERFACES = {
  FI_HMEM_SYSTEM: 0,
  FI_HMEM_CUDA: 1,
  FI_HMEM_ROCR: 2,
  FI_HMEM_ZE: 3,
  FI_HMEM_NEURON: 4,
  FI_HMEM_SYNAPSEAI: 5,
} as const satisfies EnumTable;
