/** Two endpoints in this process that know each other. */
import { Endpoint, type EndpointOpenOptions, type Info } from 'node-libfabric';
import { onTestFinished } from 'vitest';

export interface Pair {
  readonly left: Endpoint;
  readonly right: Endpoint;
  /** Index of the right endpoint in the left one's address vector. */
  readonly toRight: number;
  /** Index of the left endpoint in the right one's address vector. */
  readonly toLeft: number;
}

/** Opens an endpoint that is closed when the test has ended. */
export function openEndpoint(info: Info, options?: EndpointOpenOptions): Endpoint {
  const endpoint = Endpoint.open(info, options);
  onTestFinished(() => {
    endpoint.close();
  });
  return endpoint;
}

/** Opens two that are closed when the test has ended. */
export function openPair(info: Info, options?: EndpointOpenOptions): Pair {
  const left = openEndpoint(info, options);
  const right = openEndpoint(info, options);
  return {
    left,
    right,
    toRight: left.addressVector.insert(right.address),
    toLeft: right.addressVector.insert(left.address),
  };
}
