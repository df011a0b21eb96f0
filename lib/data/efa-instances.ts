/**
 * EC2 instance types that can have EFA interfaces.
 *
 * Sources: karpenter-provider-aws, generated network data (devices, Gbit/s), and the EC2 user guide, "Elastic Fabric
 * Adapter" (who has it); state of 2026-08. A type that is not listed is not judged by its count.
 */

/** The state of the data. */
export const INSTANCES_DATE = '2026-08';

/** An instance type and what it has when every network card is an EFA. */
export interface EfaInstance {
  readonly instanceType: string;
  readonly efaDevices: number;
  /** Of the whole instance. */
  readonly gigabitsPerSecond: number;
  readonly gpus?: number;
  readonly accelerator?: string;
}

/** Type, devices, Gbit/s; accelerators and their kind where there are any. */
const TABLE = `
  c5n.9xlarge 1 50
  c5n.18xlarge 1 100
  c5n.metal 1 100
  c6a.48xlarge 1 50
  c6a.metal 1 50
  c6gn.16xlarge 1 100
  c6i.32xlarge 1 50
  c6i.metal 1 50
  c6id.32xlarge 1 50
  c6id.metal 1 50
  c6in.32xlarge 2 200
  c6in.metal 2 200
  c7a.48xlarge 1 50
  c7a.metal-48xl 1 50
  c7g.16xlarge 1 30
  c7g.metal 1 30
  c7gd.16xlarge 1 30
  c7gd.metal 1 30
  c7gn.16xlarge 1 200
  c7gn.metal 1 200
  c7i.48xlarge 1 50
  c7i.metal-48xl 1 50
  c8a.48xlarge 1 75
  c8a.metal-48xl 1 75
  c8g.24xlarge 1 40
  c8g.metal-24xl 1 40
  c8g.48xlarge 1 50
  c8g.metal-48xl 1 50
  c8gb.16xlarge 1 133.33
  c8gb.24xlarge 1 200
  c8gb.metal-24xl 1 200
  c8gb.48xlarge 2 400
  c8gb.metal-48xl 2 400
  c8gd.24xlarge 1 40
  c8gd.metal-24xl 1 40
  c8gd.48xlarge 1 50
  c8gd.metal-48xl 1 50
  c8gn.16xlarge 1 200
  c8gn.24xlarge 1 300
  c8gn.metal-24xl 1 300
  c8gn.48xlarge 2 600
  c8gn.metal-48xl 2 600
  c8i.48xlarge 1 75
  c8i.metal-48xl 1 75
  c8i.96xlarge 1 100
  c8i.metal-96xl 1 100
  c8ib.48xlarge 1 200
  c8ib.metal-48xl 1 200
  c8ib.96xlarge 2 400
  c8ib.metal-96xl 2 400
  c8id.48xlarge 1 75
  c8id.metal-48xl 1 75
  c8id.96xlarge 1 100
  c8id.metal-96xl 1 100
  c8in.48xlarge 1 300
  c8in.metal-48xl 1 300
  c8in.96xlarge 2 600
  c8in.metal-96xl 2 600
  c9g.48xlarge 1 100
  c9g.metal-48xl 1 100
  c9gd.48xlarge 1 100
  c9gd.metal-48xl 1 100
  dl2q.24xlarge 1 100 0 qualcomm-ai100
  f2.48xlarge 1 100
  g4dn.8xlarge 1 50 1 t4
  g4dn.12xlarge 1 50 4 t4
  g4dn.16xlarge 1 50 1 t4
  g4dn.metal 1 100 8 t4
  g5.8xlarge 1 25 1 a10g
  g5.12xlarge 1 40 4 a10g
  g5.16xlarge 1 25 1 a10g
  g5.24xlarge 1 50 4 a10g
  g5.48xlarge 1 100 8 a10g
  g6.8xlarge 1 25 1 l4
  g6.12xlarge 1 40 4 l4
  g6.16xlarge 1 25 1 l4
  g6.24xlarge 1 50 4 l4
  g6.48xlarge 1 100 8 l4
  g6e.8xlarge 1 25 1 l40s
  g6e.12xlarge 1 100 4 l40s
  g6e.16xlarge 1 35 1 l40s
  g6e.24xlarge 2 200 4 l40s
  g6e.48xlarge 4 400 8 l40s
  g7.8xlarge 1 80 1 rtx-pro-4500
  g7.12xlarge 1 175 2 rtx-pro-4500
  g7.24xlarge 1 350 4 rtx-pro-4500
  g7.48xlarge 2 700 8 rtx-pro-4500
  g7e.8xlarge 1 100 1 rtx-pro-server-6000
  g7e.12xlarge 1 400 2 rtx-pro-server-6000
  g7e.24xlarge 2 800 4 rtx-pro-server-6000
  g7e.48xlarge 4 1600 8 rtx-pro-server-6000
  gr6.8xlarge 1 25 1 l4
  hpc6a.48xlarge 1 100
  hpc6id.32xlarge 2 200
  hpc7a.12xlarge 2 300
  hpc7a.24xlarge 2 300
  hpc7a.48xlarge 2 300
  hpc7a.96xlarge 2 300
  hpc7g.4xlarge 1 200
  hpc7g.8xlarge 1 200
  hpc7g.16xlarge 1 200
  hpc8a.96xlarge 2 300
  i3en.12xlarge 1 50
  i3en.24xlarge 1 100
  i3en.metal 1 100
  i4g.16xlarge 1 37.5
  i4i.32xlarge 1 75
  i4i.metal 1 75
  i7i.24xlarge 1 56.25
  i7i.48xlarge 1 100
  i7i.metal-48xl 1 100
  i7ie.48xlarge 1 100
  i7ie.metal-48xl 1 100
  i8g.48xlarge 1 100
  i8g.metal-48xl 1 90
  i8ge.48xlarge 1 180
  i8ge.metal-48xl 1 180
  im4gn.16xlarge 1 100
  inf1.24xlarge 1 100 0 inferentia
  m5dn.24xlarge 1 100
  m5dn.metal 1 100
  m5n.24xlarge 1 100
  m5n.metal 1 100
  m5zn.12xlarge 1 100
  m5zn.metal 1 100
  m6a.48xlarge 1 50
  m6a.metal 1 50
  m6i.32xlarge 1 50
  m6i.metal 1 50
  m6id.32xlarge 1 50
  m6id.metal 1 50
  m6idn.32xlarge 2 200
  m6idn.metal 2 200
  m6in.32xlarge 2 200
  m6in.metal 2 200
  m7a.48xlarge 1 50
  m7a.metal-48xl 1 50
  m7g.16xlarge 1 30
  m7g.metal 1 30
  m7gd.16xlarge 1 30
  m7gd.metal 1 30
  m7i.48xlarge 1 50
  m7i.metal-48xl 1 50
  m8a.48xlarge 1 75
  m8a.metal-48xl 1 75
  m8azn.24xlarge 1 200
  m8azn.metal-24xl 1 200
  m8g.24xlarge 1 40
  m8g.metal-24xl 1 40
  m8g.48xlarge 1 50
  m8g.metal-48xl 1 50
  m8gb.16xlarge 1 133.33
  m8gb.24xlarge 1 200
  m8gb.metal-24xl 1 200
  m8gb.48xlarge 2 400
  m8gb.metal-48xl 2 400
  m8gd.24xlarge 1 40
  m8gd.metal-24xl 1 40
  m8gd.48xlarge 1 50
  m8gd.metal-48xl 1 50
  m8gn.16xlarge 1 200
  m8gn.24xlarge 1 300
  m8gn.metal-24xl 1 300
  m8gn.48xlarge 2 600
  m8gn.metal-48xl 2 600
  m8i.48xlarge 1 75
  m8i.metal-48xl 1 75
  m8i.96xlarge 1 100
  m8i.metal-96xl 1 100
  m8ib.48xlarge 1 200
  m8ib.metal-48xl 1 200
  m8ib.96xlarge 2 400
  m8ib.metal-96xl 2 400
  m8id.48xlarge 1 75
  m8id.metal-48xl 1 75
  m8id.96xlarge 1 100
  m8id.metal-96xl 1 100
  m8idb.48xlarge 1 200
  m8idb.metal-48xl 1 200
  m8idb.96xlarge 2 400
  m8idb.metal-96xl 2 400
  m8idn.48xlarge 1 300
  m8idn.metal-48xl 1 300
  m8idn.96xlarge 2 600
  m8idn.metal-96xl 2 600
  m8in.48xlarge 1 300
  m8in.metal-48xl 1 300
  m8in.96xlarge 2 600
  m8in.metal-96xl 2 600
  m9g.48xlarge 1 100
  m9g.metal-48xl 1 100
  m9gd.48xlarge 1 100
  m9gd.metal-48xl 1 100
  p3dn.24xlarge 1 100 8 v100
  p4d.24xlarge 4 400 8 a100
  p4de.24xlarge 4 400 8 a100
  p5.4xlarge 1 100 1 h100
  p5.48xlarge 32 3200 8 h100
  p5e.48xlarge 32 3200 8 h200
  p5en.48xlarge 16 3200 8 h200
  p6-b200.48xlarge 8 3200 8 b200
  p6-b300.48xlarge 16 6400 8 b300
  r5dn.24xlarge 1 100
  r5dn.metal 1 100
  r5n.24xlarge 1 100
  r5n.metal 1 100
  r6a.48xlarge 1 50
  r6a.metal 1 50
  r6i.32xlarge 1 50
  r6i.metal 1 50
  r6id.32xlarge 1 50
  r6id.metal 1 50
  r6idn.32xlarge 2 200
  r6idn.metal 2 200
  r6in.32xlarge 2 200
  r6in.metal 2 200
  r7a.48xlarge 1 50
  r7a.metal-48xl 1 50
  r7g.16xlarge 1 30
  r7g.metal 1 30
  r7gd.16xlarge 1 30
  r7gd.metal 1 30
  r7i.48xlarge 1 50
  r7i.metal-48xl 1 50
  r7iz.32xlarge 1 50
  r7iz.metal-32xl 1 50
  r8a.48xlarge 1 75
  r8a.metal-48xl 1 75
  r8g.24xlarge 1 40
  r8g.metal-24xl 1 40
  r8g.48xlarge 1 50
  r8g.metal-48xl 1 50
  r8gb.16xlarge 1 133.33
  r8gb.24xlarge 1 200
  r8gb.metal-24xl 1 200
  r8gb.48xlarge 2 400
  r8gb.metal-48xl 2 400
  r8gd.24xlarge 1 40
  r8gd.metal-24xl 1 40
  r8gd.48xlarge 1 50
  r8gd.metal-48xl 1 50
  r8gn.16xlarge 1 200
  r8gn.24xlarge 1 300
  r8gn.metal-24xl 1 300
  r8gn.48xlarge 2 600
  r8gn.metal-48xl 2 600
  r8i.48xlarge 1 75
  r8i.metal-48xl 1 75
  r8i.96xlarge 1 100
  r8i.metal-96xl 1 100
  r8ib.48xlarge 1 200
  r8ib.metal-48xl 1 200
  r8ib.96xlarge 2 400
  r8ib.metal-96xl 2 400
  r8id.48xlarge 1 75
  r8id.metal-48xl 1 75
  r8id.96xlarge 1 100
  r8id.metal-96xl 1 100
  r8idb.48xlarge 1 200
  r8idb.metal-48xl 1 200
  r8idb.96xlarge 2 400
  r8idb.metal-96xl 2 400
  r8idn.48xlarge 1 300
  r8idn.metal-48xl 1 300
  r8idn.96xlarge 2 600
  r8idn.metal-96xl 2 600
  r8in.48xlarge 1 300
  r8in.metal-48xl 1 300
  r8in.96xlarge 2 600
  r8in.metal-96xl 2 600
  trn1.32xlarge 8 800 0 trainium
  trn1n.32xlarge 16 1600 0 trainium
  trn2.48xlarge 16 3200 0 trainium2
  u7i-12tb.224xlarge 1 100
  u7i-6tb.112xlarge 1 100
  u7i-8tb.112xlarge 1 100
  u7in-16tb.224xlarge 2 200
  u7in-24tb.224xlarge 2 200
  u7in-32tb.224xlarge 2 200
  vt1.24xlarge 1 25
  x2idn.32xlarge 1 100
  x2idn.metal 1 100
  x2iedn.32xlarge 1 100
  x2iedn.metal 1 100
  x2iezn.12xlarge 1 100
  x2iezn.metal 1 100
  x8aedz.24xlarge 1 75
  x8aedz.metal-24xl 1 75
  x8g.24xlarge 1 40
  x8g.metal-24xl 1 40
  x8g.48xlarge 1 50
  x8g.metal-48xl 1 50
  x8i.48xlarge 1 75
  x8i.metal-48xl 1 75
  x8i.64xlarge 1 80
  x8i.96xlarge 1 100
  x8i.metal-96xl 1 100
`;

/** Every known type by its name. */
export const EFA_INSTANCES: ReadonlyMap<string, EfaInstance> = new Map(
  TABLE.trim()
    .split('\n')
    .map((line) => {
      const [instanceType, devices, gigabits, gpus, ...accelerator] = line.trim().split(' ');
      return [
        instanceType!,
        {
          instanceType: instanceType!,
          efaDevices: Number(devices),
          gigabitsPerSecond: Number(gigabits),
          ...(gpus === undefined ? {} : { gpus: Number(gpus) }),
          ...(accelerator.length === 0 ? {} : { accelerator: accelerator.join(' ') }),
        },
      ];
    }),
);
