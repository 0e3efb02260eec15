// Averages gradients over all processes: after the backward pass, in buckets, where the numbers lie.
//   gradients → one program that lays them side by side in buckets → all buckets are added up over the processes → each gradient is a
//   stretch of its bucket, divided by the number of processes
// In a step that is captured the sums are a hook between two runs, so that replays make them as well. In front of the first bucket travels
// which parameters have a gradient here: what is unused here and used elsewhere counts as zero.

import { cat } from '../tensor/functions.js';
import { tensor } from '../tensor/creation.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { eachRun, formatShape, overwriteMemory, sizeOf, updateAtOnce } from '../tensor/library.js';
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
  readonly parts: Part[];
  size: number;
  flat: Tensor | undefined;
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

  constructor(
    world: World,
    parameters: readonly (readonly [name: string, parameter: Tensor])[],
    bucketBytes = BUCKET_BYTES,
  ) {
    this.world = world;
    this.names = parameters.map(([name]) => name);
    this.parameters = parameters.map(([, p]) => p);
    this.bucketBytes = bucketBytes;
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
    });
  }

  /** Replaces the gradient of each parameter by its mean over all processes; in a captured function that is captured. */
  async reduce(): Promise<void> {
    if (!this.wasAgreed) this.agree('DataParallel');
    this.isAveraged = true;
    const { world, parameters } = this;
    const buckets = this.layOut();
    const isUsed = parameters.map((p) => p.grad !== undefined);
    await updateAtOnce(() => {
      for (const bucket of buckets) bucket.flat?.assign_(this.contentOf(bucket, isUsed));
    });
    let counted: readonly number[] | undefined;
    const sum = (): void => {
      const counts = this.sumBuckets(buckets);
      if (counted === undefined) counted = counts;
      const known = counted;
      const changed = counts.findIndex((n, i) => n > 0 !== known[i] > 0);
      if (changed < 0) return;
      throw new DistributedError(
        `DataParallel: ${this.names[changed]} ${counts[changed] > 0 ? 'has a gradient on some process in this step, and had none when it was captured' : 'has no gradient on any process in this step, and had one when it was captured'}. Run such steps uncaptured (compile: false in a Trainer).`,
        world.rank,
      );
    };
    eachRun(sum, () => {});
    const usedAnywhere = counted ?? [];
    withoutGrad(() => {
      const share = 1 / world.worldSize;
      for (const { flat, parts } of buckets) {
        for (const { index, start, size } of parts) {
          const p = parameters[index];
          if (!(usedAnywhere[index] > 0)) continue;
          const mean: Tensor = (flat as Tensor).slice(0, start, start + size).mul(share) as Tensor;
          p.grad = mean.reshape(p.shape).to(p.dtype) as Tensor;
        }
      }
    });
  }

  private layOut(): readonly Bucket[] {
    if (this.buckets !== undefined) return this.buckets;
    const head = this.parameters.length;
    const buckets: Bucket[] = [{ dtype: 'float32', head, parts: [], size: head, flat: undefined }];
    // The last layers come first: their gradients are known first.
    for (let index = this.parameters.length - 1; index >= 0; index--) {
      const { dtype, shape } = this.parameters[index];
      const wide = (dtype as string) === 'float64' ? 'float64' : 'float32';
      const size = sizeOf(shape);
      let bucket = buckets.findLast((b) => b.dtype === wide);
      if (bucket === undefined || (bucket.parts.length > 0 && (bucket.size + size) * bytesOf[wide] > this.bucketBytes))
        buckets.push((bucket = { dtype: wide, head: 0, parts: [], size: 0, flat: undefined }));
      bucket.parts.push({ index, start: bucket.size, size });
      bucket.size += size;
    }
    for (const bucket of buckets) {
      const { dtype, size } = bucket;
      bucket.flat = storedZeros([size], dtype, 'cpu');
    }
    this.buckets = buckets;
    return buckets;
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

  /** Adds all buckets up; gives on how many processes each parameter has a gradient. */
  private sumBuckets(buckets: readonly Bucket[]): number[] {
    const { transport } = this.world;
    let numbers: number[] = [];
    const jobs: Job[] = buckets.map(({ flat, dtype, size }, i) => {
      let out: Uint8Array | undefined;
      if (!overwriteMemory(flat as Tensor, (bytes) => (out = bytes)) || out === undefined)
        throw new DistributedError('DataParallel: the memory of the gradients cannot be seen.', this.world.rank);
      const label = `gradients, bucket ${i + 1} of ${buckets.length}`;
      return { kind: 'allReduce', out, count: size, element: dtype, combine: 'sum', label };
    });
    this.world.checkIdle('DataParallel');
    for (const number of jobs.map((job) => transport.start(job))) transport.wait(number);
    const { out } = jobs[0];
    if (out !== undefined) numbers = Array.from(new Float32Array(out.buffer, out.byteOffset, this.parameters.length));
    return numbers;
  }
}
