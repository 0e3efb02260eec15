// Averages gradients over all processes, in buckets, where the numbers lie.
//   gradients of a bucket → a program that lays them side by side → the bucket is added up over the processes
//   once all buckets are added up, each gradient is a stretch of its bucket, divided by the number of processes
// The last layers come first: their gradients are known first. Where there are several buckets, the backward pass is cut between
// them, and goes on while a bucket travels. In a step that is captured sums begin and end in hooks between its runs, so that replays make them
// as well. In front of the first bucket travels which parameters have a gradient here: what is unused here and used elsewhere counts as zero.

import { cat } from '../tensor/functions.js';
import { tensor } from '../tensor/creation.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { eachRun, formatShape, overwriteMemory, sizeOf, updateBefore } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { DistributedError } from './error.js';
import type { Job } from './transport.js';
import { storedZeros } from './values.js';
import type { World } from './world.js';

export const BUCKET_BYTES = 25 << 20;

interface Part {
  /** Its place among the parameters. */
  readonly index: number;
  readonly start: number;
  readonly size: number;
}

interface Bucket {
  readonly dtype: 'float32' | 'float64';
  /** Numbers before the first gradient. */
  readonly head: number;
  readonly parts: readonly Part[];
  readonly size: number;
  /** The memory that travels. */
  readonly flat: Tensor;
}

export interface ReducerOptions {
  readonly bucketBytes?: number;
  readonly overlaps?: boolean;
}

const bytesOf = { float32: 4, float64: 8 } as const;

export class GradientReducer {
  readonly parameters: readonly Tensor[];
  /** Gradients of the last backward pass are averages already, as far as is known. */
  isAveraged = false;
  private readonly world: World;
  private readonly names: readonly string[];
  private readonly bucketBytes: number;
  private buckets: readonly Bucket[] | undefined;
  private wasAgreed = false;
  /** Jobs that add buckets up, in the order in which they were started. */
  private readonly underWay: number[] = [];
  /** Whether a bucket travels while the gradients of the next one are computed. */
  private readonly overlaps: boolean;

  constructor(
    world: World,
    parameters: readonly (readonly [name: string, parameter: Tensor])[],
    { bucketBytes = BUCKET_BYTES, overlaps = true }: ReducerOptions = {},
  ) {
    this.world = world;
    this.names = parameters.map(([name]) => name);
    this.parameters = parameters.map(([, p]) => p);
    this.bucketBytes = bucketBytes;
    this.overlaps = overlaps;
    for (const p of this.parameters) {
      if (p.device === 'cpu') continue;
      throw new DistributedError(
        `DataParallel: the parameters are on '${p.device}', whose memory other processes cannot be given. Train on 'cpu'.`,
      );
    }
  }

  /** Throws DistributedError unless all processes have the same parameters: names, shapes, dtypes, frozen or not. */
  agree(op: string): void {
    this.wasAgreed = true;
    const facts = this.parameters.map((p, i) => {
      const frozen = p.requiresGrad ? '' : ', frozen';
      return [`parameter ${this.names[i]}`, `${p.dtype} ${formatShape(p.shape)}${frozen}`] as const;
    });
    this.world.agree(op, {
      'the number of parameters': `${facts.length}`,
      ...Object.fromEntries(facts),
      'the size of buckets': `${this.bucketBytes}`,
      'whether they travel during the backward pass': `${this.overlaps}`,
    });
  }

  /** Replaces the gradient of each parameter by its mean over all processes; in a captured function that is captured. */
  async reduce(): Promise<void> {
    const { world, parameters } = this;
    world.checkIdle('DataParallel'); // before anything is waited for: a call that ends meanwhile on some process is under way on others
    if (!this.wasAgreed) this.agree('DataParallel');
    this.isAveraged = true;
    const buckets = this.layOut();
    const isUsed = parameters.map((p) => p.grad !== undefined);
    const contents = buckets.map((bucket) => this.contentOf(bucket, isUsed));
    eachRun(
      () => this.finish(), // what an update that failed has left under way
      () => {},
    );
    const groups = this.overlaps ? buckets.map((_, i) => [i]) : [buckets.map((_, i) => i)];
    for (const group of groups) {
      await updateBefore(contents.slice(group[group.length - 1] + 1), () => {
        for (const i of group) buckets[i].flat.assign_(contents[i]);
      });
      eachRun(
        () => group.forEach((i) => this.start(buckets, i)),
        () => {},
      );
    }
    let counted: readonly number[] | undefined;
    const end = (): void => {
      this.finish();
      const counts = this.countsIn(buckets[0]);
      if (counted === undefined) counted = counts;
      const known = counted;
      const changed = counts.findIndex((n, i) => n > 0 !== known[i] > 0);
      if (changed < 0) return;
      throw new DistributedError(
        `DataParallel: ${this.names[changed]} ${counts[changed] > 0 ? 'has a gradient on some process in this step, and had none when it was captured' : 'has no gradient on any process in this step, and had one when it was captured'}. Run such steps uncaptured (compile: false in a Trainer).`,
        world.rank,
      );
    };
    eachRun(end, () => {});
    const usedAnywhere = counted ?? [];
    withoutGrad(() => {
      const share = 1 / world.worldSize;
      for (const { flat, parts } of buckets) {
        for (const { index, start, size } of parts) {
          const p = parameters[index];
          if (!(usedAnywhere[index] > 0)) continue;
          const mean: Tensor = flat.slice(0, start, start + size).mul(share) as Tensor;
          p.grad = mean.reshape(p.shape).to(p.dtype) as Tensor;
        }
      }
    });
  }

  private layOut(): readonly Bucket[] {
    if (this.buckets !== undefined) return this.buckets;
    const head = this.parameters.length;
    const plans: { dtype: Bucket['dtype']; head: number; parts: Part[]; size: number }[] = [
      { dtype: 'float32', head, parts: [], size: head },
    ];
    for (let index = this.parameters.length - 1; index >= 0; index--) {
      const { dtype, shape } = this.parameters[index];
      const wide = (dtype as string) === 'float64' ? 'float64' : 'float32';
      const size = sizeOf(shape);
      let plan = plans.findLast((b) => b.dtype === wide);
      if (plan === undefined || (plan.parts.length > 0 && (plan.size + size) * bytesOf[wide] > this.bucketBytes))
        plans.push((plan = { dtype: wide, head: 0, parts: [], size: 0 }));
      plan.parts.push({ index, start: plan.size, size });
      plan.size += size;
    }
    this.buckets = plans.map((plan) => ({ ...plan, flat: storedZeros([plan.size], plan.dtype, 'cpu') }));
    return this.buckets;
  }

  private contentOf(bucket: Bucket, isUsed: readonly boolean[]): Tensor {
    const { dtype, head, parts } = bucket;
    const pieces: Tensor[] = [];
    if (head > 0) pieces.push(tensor(Float32Array.from(isUsed, Number), { shape: [head], device: 'cpu' }) as Tensor);
    for (const { index, size } of parts) {
      const { grad } = this.parameters[index];
      const zeros = () => tensor(new Float32Array(size), { shape: [size], device: 'cpu' }) as Tensor;
      pieces.push((grad === undefined ? zeros() : grad.detach().reshape([size])).to(dtype) as Tensor);
    }
    return cat(pieces) as Tensor;
  }

  /** Begins to add a bucket up over the processes. */
  private start(buckets: readonly Bucket[], i: number): void {
    const { flat, dtype, size } = buckets[i];
    let out: Uint8Array | undefined;
    if (!overwriteMemory(flat, (bytes) => (out = bytes)) || out === undefined)
      throw new DistributedError('DataParallel: the memory of the gradients cannot be seen.', this.world.rank);
    const label = `gradients, bucket ${i + 1} of ${buckets.length}`;
    this.world.checkIdle('DataParallel');
    const job: Job = { kind: 'allReduce', out, count: size, element: dtype, combine: 'sum', label };
    this.underWay.push(this.world.transport.start(job));
  }

  /** Waits until no bucket is under way. */
  private finish(): void {
    for (let number = this.underWay.shift(); number !== undefined; number = this.underWay.shift())
      this.world.transport.wait(number);
  }

  /** On how many processes each parameter has a gradient. */
  private countsIn({ flat }: Bucket): number[] {
    let counts: number[] = [];
    overwriteMemory(flat, ({ buffer, byteOffset }) => {
      counts = Array.from(new Float32Array(buffer, byteOffset, this.parameters.length));
    });
    return counts;
  }
}
