/** FI_PROVIDER as libfabric reads it. */

/** Providers that run over others; a list that names some does not keep these away. */
const UTILITY_PROVIDERS = new Set(['ofi_rxm', 'ofi_rxd', 'ofi_mrail', 'off_coll']);

/**
 * Whether libfabric lists a provider, e.g. `'efa'` or `'tcp;ofi_rxm'`, under a value of FI_PROVIDER.
 *
 * The value is a list with commas; a `^` at its very beginning turns all of it around. Case does not matter, blanks do, and a
 * value that is set but empty allows nothing. A name allows the layers over it; layers that are named allow only themselves.
 */
export function allowsProvider(value: string | undefined, provider: string): boolean {
  if (value === undefined) return true;
  const isNegated = value.startsWith('^');
  const names = (isNegated ? value.slice(1) : value).split(',').map((name) => name.toLowerCase());
  const name = provider.toLowerCase();
  const layers = name.split(';');
  const isCoreNamed = names.some((listed) => listed !== '' && name.startsWith(`${listed};`));
  const isNamed = names.includes(name) || isCoreNamed;
  if (isNegated) return !isNamed && !layers.some((layer) => names.includes(layer));
  // hooks and utilities have no entry of their own
  const isInitialized = layers.every(
    (layer) =>
      UTILITY_PROVIDERS.has(layer) || names.some((listed) => listed === layer || listed.startsWith(`${layer};`)),
  );
  return isNamed && isInitialized;
}

/** Providers of libfabric 1.17 to 2.6, lower case. */
const KNOWN = new Set(
  (
    'efa psm psm2 psm3 opx usnic verbs cxi ucx gni bgq mlx netdir rxm rxd shm sm2 udp tcp sockets net rstream lnx lpp ' +
    'ofi_rxm ofi_rxd ofi_mrail ofi_lnx off_coll ofi_hook_perf ofi_hook_trace ofi_hook_profile ofi_hook_debug ' +
    'ofi_hook_noop ofi_hook_hmem ofi_hook_dmabuf_peer_mem ofi_hook_monitor dmabuf_peer_mem'
  ).split(' '),
);

/** Names in a value of FI_PROVIDER that no provider has, blanks included. */
export const unknownProviders = (value: string): string[] =>
  value
    .replace(/^\^/, '')
    .split(',')
    .filter(
      (name) =>
        name !== '' &&
        !name
          .toLowerCase()
          .split(';')
          .every((layer) => KNOWN.has(layer)),
    );
