/** Garbage collection on demand, in this process. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { until } from './within.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects garbage, turn by turn, until `condition` holds: finalizers run in turns of their own. */
export function collectUntil(condition: () => boolean, what: string): Promise<void> {
  return until(
    () => {
      if (condition()) return true;
      collect();
      return false;
    },
    what,
    10_000,
  );
}

/** Collects what is unreachable now. */
export function collectGarbage(): void {
  collect();
}
