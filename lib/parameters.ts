/** What libfabric and its providers read from the environment: fi_getparams(3). */
import { binding } from './binding.js';
import { check } from './errors.js';
import { librarySettings } from './library-settings.js';
import { libfabricVariables, libraryEnvironment, requireLibrary } from './library.js';

/** enum fi_param_type, in its order. */
export const PARAMETER_TYPES = ['string', 'int', 'bool', 'size_t'] as const;

/** An environment variable that configures libfabric or one of its providers. */
export interface ProviderParameter {
  /** The variable: `'FI_TCP_PORT_LOW_RANGE'`. */
  readonly name: string;
  readonly type: (typeof PARAMETER_TYPES)[number];
  /** What its authors say of it. */
  readonly help: string;
  /** Its value now, which the providers may have read earlier; absent where it is not set. */
  readonly value?: string;
  /** The machine's libfabric.conf that has this value (libfabric 1.18 and newer); absent for the environment. */
  readonly file?: string;
}

/** An environment variable that does not do what somebody hoped. */
export interface EnvironmentProblem {
  readonly variable: string;
  /** `unknown`: nothing in the loaded libfabric reads it. `too-late`: it was changed after libfabric had been loaded. */
  readonly reason: 'unknown' | 'too-late';
  /** The known variable with the most similar name, where one is similar. */
  readonly suggestion?: string;
  /** All of that as a sentence. */
  readonly message: string;
}

/**
 * Lists the variables that the loaded libfabric knows, with their current values: fi_getparams(3), fi_freeparams(3). `fi_info -e` prints
 * the same, except for values in libfabric.conf.
 *
 * @throws FabricError when libfabric fails.
 */
export function getParams(): ProviderParameter[] {
  requireLibrary();
  const found = check(binding.parametersGet(), 'fi_getparams', 'cannot list the parameters of providers');
  const settings = librarySettings();
  return found.map(({ type, ...rest }) => {
    const { value, file } = settings.get(rest.name) ?? {};
    const configured = file === undefined ? {} : { value: value!, file };
    return { ...rest, ...configured, type: PARAMETER_TYPES[type] ?? 'string' };
  });
}

/**
 * Finds `FI_…` variables in the environment that have no effect: misspelt ones, which libfabric ignores silently, and
 * those set after libfabric was loaded, which its providers have read already.
 *
 * Both are judged by this thread's `process.env`; that of a worker is a copy made when it was started.
 */
export function checkEnvironment(): EnvironmentProblem[] {
  const known = getParams().map(({ name }) => name);
  const before = libraryEnvironment();
  const now = libfabricVariables();
  const problems: EnvironmentProblem[] = [];
  for (const variable of Object.keys({ ...before, ...now }).sort()) {
    if (!known.includes(variable)) problems.push(unknown(variable, known));
    else if (before[variable] !== now[variable]) problems.push(tooLate(variable, before[variable]));
  }
  return problems;
}

function unknown(variable: string, known: readonly string[]): EnvironmentProblem {
  const suggestion = mostSimilar(variable, known);
  const message = `${variable} is unknown to the loaded libfabric and its providers, and is ignored`;
  if (suggestion === undefined) return { variable, reason: 'unknown', message: `${message}.` };
  return { variable, reason: 'unknown', suggestion, message: `${message}. Did you mean ${suggestion}?` };
}

function tooLate(variable: string, before: string | undefined): EnvironmentProblem {
  const was = before === undefined ? 'not set' : `'${before}'`;
  return {
    variable,
    reason: 'too-late',
    message: `${variable} was changed after libfabric had been loaded, when it was ${was}: set it before the first call.`,
  };
}

/** The name with the fewest edits, unless those are more than a third of it. */
function mostSimilar(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.floor(name.length / 3) + 1;
  for (const candidate of candidates) {
    const edits = editDistance(name, candidate);
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/** How many letters have to be added, taken or changed to make one of the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, change));
    }
    row = next;
  }
  return row[to.length]!;
}
