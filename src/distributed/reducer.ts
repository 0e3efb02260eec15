// Averages gradients over all processes, in buckets, where the numbers lie.
//   gradients of a bucket → a program that computes them side by side → the mean of the bucket over the processes, in place
//   once all buckets are done, the gradient of each parameter is its part of a bucket
// The last layers come first: their gradients are known first. Where there are several buckets, the backward pass is cut between
// them, and goes on while a bucket travels. In a step that is captured sums begin and end in hooks between its runs, so that replays make them
// as well. In front of the first bucket travels which parameters have a gradient here: what is unused here and used elsewhere counts as zero.

import { zeros } from '../tensor/creation.js';
import {
  copyOfStored,
  eachRun,
  formatShape,
  noteOverwritten,
  overwriteMemory,
  sizeOf,
  storedPart,
  updateBefore,
} from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { DistributedError } from './error.js';
import type { Job } from './transport.js';
import { storedZeros } from './values.js';
import type { World } from './world.js';

export const BUCKET_BYTES = 25 << 20;

interface Part {
  /** Its place among the parameters. */
  readonly index: number;
  /** Its numbers in the bucket. */
  readonly own: Tensor;
}

interface Bucket {
  readonly dtype: 'float32' | 'float64';
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
/** Parts begin at multiples of it. */
const ALIGNMENT = 64;

export class GradientReducer {
  readonly parameters: readonly Tensor[];
  /** Gradients of the last backward pass are averages already, as far as is known. */
  isAveraged = false;
  private readonly world: World;
  private readonly names: readonly string[];
  private readonly bucketBytes: number;
  private buckets: readonly Bucket[] | undefined;
  private wasAgreed = false;
  /** Jobs that average buckets, in the order in which they were started. */
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
    const contents = buckets.map(({ dtype, parts }) => parts.map(({ index }) => this.gradientOf(index, dtype)));
    eachRun(
      () => this.finish(), // what an update that failed has left under way
      () => {},
    );
    const groups = this.overlaps ? buckets.map((_, i) => [i]) : [buckets.map((_, i) => i)];
    for (const group of groups) {
      await updateBefore(contents.slice(group[group.length - 1] + 1).flat(), () => {
        for (const i of group) buckets[i].parts.forEach(({ own }, k) => own.assign_(contents[i][k]));
      });
      eachRun(
        () => group.forEach((i) => this.start(buckets, i, isUsed)),
        () => {},
      );
    }
    let counted: readonly number[] | undefined;
    const end = (): void => {
      this.finish();
      for (const { parts } of buckets) for (const { own } of parts) noteOverwritten(own);
      const counts = this.sharesIn(buckets[0]);
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
    for (const { index, own } of buckets.flatMap(({ parts }) => parts)) {
      const p = parameters[index];
      if (usedAnywhere[index] > 0) p.grad = copyOfStored(own).to(p.dtype) as Tensor;
    }
  }

  private layOut(): readonly Bucket[] {
    if (this.buckets !== undefined) return this.buckets;
    const aligned = (size: number, dtype: Bucket['dtype']): number => {
      const step = ALIGNMENT / bytesOf[dtype];
      return Math.ceil(size / step) * step;
    };
    // Flags come before the first gradient.
    const plans: { dtype: Bucket['dtype']; starts: [index: number, start: number][]; size: number }[] = [
      { dtype: 'float32', starts: [], size: aligned(this.parameters.length, 'float32') },
    ];
    for (let index = this.parameters.length - 1; index >= 0; index--) {
      const { dtype, shape } = this.parameters[index];
      const wide = (dtype as string) === 'float64' ? 'float64' : 'float32';
      const size = aligned(sizeOf(shape), wide);
      let plan = plans.findLast((b) => b.dtype === wide);
      if (plan === undefined || (plan.starts.length > 0 && (plan.size + size) * bytesOf[wide] > this.bucketBytes))
        plans.push((plan = { dtype: wide, starts: [], size: 0 }));
      plan.starts.push([index, plan.size]);
      plan.size += size;
    }
    this.buckets = plans.map(({ dtype, starts, size }) => {
      const flat = storedZeros([size], dtype, 'cpu');
      const parts = starts.map(([index, start]) => {
        const own: Tensor = storedPart(flat, start, this.parameters[index].shape);
        return { index, own };
      });
      return { dtype, parts, size, flat };
    });
    return this.buckets;
  }

  /** A parameter's gradient on this process; what is not used counts as zero. */
  private gradientOf(index: number, dtype: Bucket['dtype']): Tensor {
    const { grad, shape } = this.parameters[index];
    const own: AnyTensor = grad === undefined ? zeros(shape, { dtype, device: 'cpu' }) : grad.detach().to(dtype);
    return own as Tensor;
  }

  /** Begins to average a bucket over the processes. */
  private start(buckets: readonly Bucket[], i: number, isUsed: readonly boolean[]): void {
    const { flat, dtype, size } = buckets[i];
    let out: Uint8Array | undefined;
    if (!overwriteMemory(flat, (bytes) => (out = bytes)) || out === undefined)
      throw new DistributedError('DataParallel: the memory of the gradients cannot be seen.', this.world.rank);
    if (i === 0) new Float32Array(out.buffer, out.byteOffset, isUsed.length).set(isUsed.map(Number));
    const label = `gradients, bucket ${i + 1} of ${buckets.length}`;
    this.world.checkIdle('DataParallel');
    const job: Job = { kind: 'allReduce', out, count: size, element: dtype, combine: 'mean', label };
    this.underWay.push(this.world.transport.start(job));
  }

  /** Waits until no bucket is under way. */
  private finish(): void {
    for (let number = this.underWay.shift(); number !== undefined; number = this.underWay.shift())
      this.world.transport.wait(number);
  }

  /** The share of the processes on which each parameter has a gradient. */
  private sharesIn({ flat }: Bucket): number[] {
    let counts: number[] = [];
    overwriteMemory(flat, ({ buffer, byteOffset }) => {
      counts = Array.from(new Float32Array(buffer, byteOffset, this.parameters.length));
    });
    return counts;
  }
}
