// Variables with which tests run the addon that has AddressSanitizer and UndefinedBehaviorSanitizer built in.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './set-up/run.mjs';

/** @param {string} name of a library as the compiler that built the addon knows it */
const compilerLibrary = (name) => execFileSync('c++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();

export const sanitizerEnvironment = () => ({
  NODE_LIBFABRIC_ADDON: join(root, 'build/asan/Release/node_libfabric.node'),
  // Node is not instrumented, so the run-time library has to come first. libstdc++ with it:
  // the library looks for __cxa_throw when it starts, and aborts at the first throw otherwise.
  LD_PRELOAD: [compilerLibrary('libasan.so'), compilerLibrary('libstdc++.so')].join(' '),
  // V8 and libfabric keep memory until the process ends, which is no leak of ours
  ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:disable_coredump=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
});
