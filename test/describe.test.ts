import { describe as describeInfo } from 'node-libfabric';
import { execFileSync } from 'node:child_process';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openEndpoint } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';

describe('describe', () => {
  overEachProvider((info, provider) => {
    it('says in the same words what fi_info -v says', () => {
      const printed = execFileSync('fi_info', ['-v', '-p', provider], { encoding: 'utf8' });
      const [, theirs = ''] = printed.split('---\n');
      // The values depend on what each of us asks for.
      const labels = (text: string): string[] => text.match(/^ *\w+:/gm) ?? [];
      expect(labels(describeInfo(info))).toEqual(labels(theirs));
      expect(describeInfo(info)).toContain(`\n        prov_name: ${provider}\n`);
    });

    it('describes one group of attributes', () => {
      expect(describeInfo(info, 'epAttr')).toMatch(/^fi_ep_attr:\n\s+type: FI_EP_RDM\n/);
      expect(describeInfo(info, 'txAttr')).toMatch(/^fi_tx_attr:/);
      expect(describeInfo(info, 'rxAttr')).toMatch(/^fi_rx_attr:/);
      expect(describeInfo(info, 'domainAttr')).toMatch(/^fi_domain_attr:/);
      expect(describeInfo(info, 'fabricAttr')).toContain(`prov_name: ${provider}`);
    });

    it('is what inspect shows of an Info and of open objects', () => {
      expect(inspect(info)).toBe(describeInfo(info));
      const endpoint = openEndpoint(info);
      expect(inspect(endpoint)).toBe(`Endpoint (open) ${describeInfo(info)}`);
      expect(inspect(endpoint.completionQueue)).toBe('[CompletionQueue (open)]');
      endpoint.close();
      expect(inspect(endpoint.domain)).toContain('Domain (closed) fi_info:');
      expect(inspect({ a: { b: { c: { endpoint } } } }, { depth: 2 })).not.toContain('fi_info');
    });
  });

  it('describes a network interface card', () => {
    const nic = {
      deviceAttr: { name: 'rdmap0s6', driver: 'efa' },
      busAttr: { busType: 'FI_BUS_PCI', domainId: 0, busId: 6, deviceId: 1, functionId: 2 },
      linkAttr: { mtu: 8928, speed: 100_000_000_000, state: 'FI_LINK_UP', networkType: 'Ethernet' },
    } as const;
    const text = describeInfo({ nic });
    expect(text).toMatch(/nic:\n\s+fi_device_attr:\n\s+name: rdmap0s6\n/);
    expect(text).toMatch(/bus_type: FI_BUS_PCI\n\s+fi_pci_attr:\n\s+domain_id: 0\n\s+bus_id: 6\n/);
    expect(text).toMatch(/mtu: 8928\n\s+speed: 100000000000\n\s+state: FI_LINK_UP\n\s+network_type: Ethernet$/);
  });

  it('refuses parts and fields that do not exist', () => {
    expect(() => describeInfo({}, 'toString' as never)).toThrow(/part: 'toString' is none of info, txAttr/);
    expect(() => describeInfo({ nothing: 1 } as never)).toThrow(/info.nothing: no such field/);
    expect(() => describeInfo(7 as never)).toThrow(TypeError);
  });
});
