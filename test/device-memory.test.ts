import { Domain, Fabric, getInfo, HMEM_INTERFACES, MemoryRegion, version, type DeviceMemory } from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { infoWith } from './helpers/memory-pair.js';

/** A domain that takes memory of devices, although there is none here. */
const [able] = getInfo({
  caps: ['FI_MSG', 'FI_HMEM'],
  domainAttr: { mrMode: ['FI_MR_HMEM', 'FI_MR_VIRT_ADDR'] },
  fabricAttr: { provName: 'shm' },
});
const interfaces = Object.keys(HMEM_INTERFACES).slice(1) as DeviceMemory['interface'][];

function openDomain(info = able!): Domain {
  const fabric = new Fabric(info);
  onTestFinished(() => {
    fabric.close();
  });
  return new Domain(fabric);
}

describe.skipIf(able === undefined)(
  'memory of a device, where libfabric 1.17 has the shm provider with FI_HMEM',
  () => {
    it.each(interfaces)('of %s is refused without its library', (name) => {
      const domain = openDomain();
      const register = (memory: object) => () => new MemoryRegion(domain, { interface: name, ...memory } as never);
      const refused = (hint: RegExp): Error =>
        expect.objectContaining({
          code: 'FI_ENOSYS',
          syscall: 'fi_mr_regattr',
          hint: expect.stringMatching(hint) as string,
        }) as Error;
      const [major, minor] = version().split('.').map(Number) as [number, number];
      const dmaBuffer = major === 1 && minor < 20 ? /needs libfabric 1\.20, and this is 1\.\d+\./ : /The library of/;
      expect(register({ address: 4096n, length: 4096 })).toThrow(
        refused(new RegExp(`The library of ${name} is not there`)),
      );
      expect(register({ descriptor: 0, length: 4096 })).toThrow(refused(dmaBuffer));
      expect(register({ descriptor: 0, length: 4096, address: 4096n, offset: 64, device: 1 })).toThrow(
        refused(/1\.20/),
      );
    });

    it('is checked before the provider sees it', () => {
      const domain = openDomain();
      const base = { interface: 'FI_HMEM_CUDA', address: 4096n, length: 4096 };
      const refusal = (change: object): string => {
        try {
          new MemoryRegion(domain, { ...base, ...change } as never);
        } catch (error) {
          if (error instanceof TypeError || error instanceof RangeError) return error.message;
          throw error;
        }
        return 'nothing';
      };
      for (const name of ['FI_HMEM_SYSTEM', 'constructor', 'cuda', 1, undefined]) {
        expect(refusal({ interface: name })).toMatch(/^memory\.interface: .* is none of FI_HMEM_CUDA/);
      }
      for (const device of [-1, 0.5, 2 ** 31, 1n, '0']) expect(refusal({ device })).toMatch(/^memory\.device/);
      for (const length of [0, -1, 0.5, 1n, undefined]) expect(refusal({ length })).toMatch(/^memory\.length/);
      for (const address of [0n, -1n, 2n ** 64n, 4096, undefined])
        expect(refusal({ address })).toMatch(/^memory\.address/);
      expect(refusal({ address: 2n ** 64n - 1n })).toMatch(/^memory\.length: 4096 bytes .* beyond/);
      for (const descriptor of [-1, 0.5, 2 ** 31, 1n, undefined]) {
        expect(refusal({ descriptor })).toMatch(/^memory\.descriptor/);
      }
      for (const offset of [-1, 0.5, 1n]) expect(refusal({ descriptor: 0, offset })).toMatch(/^memory\.offset/);
      expect(refusal({ descriptor: 0, address: -1n })).toMatch(/^memory\.address/);
    });

    it('is no flag of other memory', () => {
      const FI_MR_DMABUF = 1n << 40n;
      const refused = expect.objectContaining({ code: 'FI_EINVAL' }) as Error;
      const domain = openDomain();
      expect(() => new MemoryRegion(domain, Buffer.alloc(8), { flags: FI_MR_DMABUF })).toThrow(refused);
      const device = { interface: 'FI_HMEM_CUDA', address: 4096n, length: 4096 } as const;
      expect(() => new MemoryRegion(domain, device, { flags: FI_MR_DMABUF })).toThrow(refused);
      const plain = openDomain(infoWith('sockets', ['FI_RMA']));
      expect(() => new MemoryRegion(plain, { ...device, descriptor: 0 })).toThrow(
        expect.objectContaining({ code: 'FI_EOPNOTSUPP', hint: expect.stringContaining('FI_HMEM') as string }) as Error,
      );
    });
  },
);
