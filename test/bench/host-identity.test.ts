import { describe, expect, it } from 'vitest';
import { readHostIdentity, whyNotSameHost } from '../../lib/bench/host-identity.js';

describe('readHostIdentity', () => {
  it('finds this process on its own host', () => {
    const identity = readHostIdentity();
    expect(identity.bootId).toMatch(/^[0-9a-f-]{36}$/);
    expect(identity.namespaces.net).toMatch(/^net:\[\d+\]$/);
    expect(identity.processors).toMatch(/^\d/);
    expect(whyNotSameHost(identity, readHostIdentity())).toBeUndefined();
  });
});
