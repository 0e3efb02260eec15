// DataParallel: a module whose copies on all processes stay equal, because their gradients are averaged before each update.

import { Module } from '../nn/module.js';
import { checkBeforeStep } from '../optim/optimizer.js';
import { isGradEnabled } from '../tensor/grad-mode.js';
import { ArgumentError, type OptionNames, checkOptions, refuseOtherCopy, wrongKind } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { DistributedError } from './error.js';
import { BUCKET_BYTES, GradientReducer, type ReducerOptions } from './reducer.js';
import { makeEqual } from './replicas.js';
import { World } from './world.js';

export interface DataParallelOptions {
  /** Megabytes of gradients that travel together. Default 25. */
  readonly bucketMegabytes?: number;
  /**
   * Whether a bucket travels while the gradients of the next one are computed: the backward pass is cut between buckets. Default true; with
   * a single bucket it makes no difference.
   */
  readonly overlap?: boolean;
}

const DATA_PARALLEL_OPTIONS: OptionNames<DataParallelOptions> = { bucketMegabytes: true, overlap: true };

/** Throws unless it is what `init` gives. */
export function checkWorld(op: string, world: unknown): void {
  refuseOtherCopy(op, world);
  if (!(world instanceof World)) throw wrongKind(op, 'the world', world, 'Pass what await init() gives');
}

/** What DataParallel wraps. */
type WithForward = Module & { readonly forward: (...args: never[]) => unknown };

/**
 * A copy of `module` on each process, of which each trains on its share of a batch. The copies begin as that of process 0 and stay equal:
 * `reduceGradients` replaces each gradient by its mean over all processes, which is the gradient of the mean loss where all shares are of one
 * size. Call it once an update, after the last `backward()` and before clipping and `step()`; gradients of several passes are added up without
 * it (accumulation needs nothing else). Keys of the state dict are those of the module itself. PyTorch: DistributedDataParallel.
 *
 *     const world = await init();
 *     const model = new DataParallel(new Linear(4, 2), world);
 *     const optimizer = new SGD(model.parameters(), { lr: 0.1 });
 *     …
 *     optimizer.zeroGrad();
 *     crossEntropy(model.forward(x), y).backward();
 *     await model.reduceGradients();
 *     await optimizer.step();
 *
 * Throws DistributedError where processes have different modules. On 'cpu' alone.
 */
export class DataParallel<M extends WithForward> extends Module {
  readonly module: M;
  readonly forward: M['forward'];
  readonly #world: World;
  readonly #reducer: GradientReducer;

  constructor(module: M, world: World, options: DataParallelOptions = {}) {
    checkOptions('DataParallel', options, DATA_PARALLEL_OPTIONS);
    super();
    if (!(module instanceof Module) || typeof (module as { forward?: unknown }).forward !== 'function')
      throw wrongKind('DataParallel', 'the module', module, 'Pass a module with forward, such as new Sequential(…)');
    checkWorld('DataParallel', world);
    const { bucketMegabytes = BUCKET_BYTES / 2 ** 20, overlap = true } = options;
    if (!(bucketMegabytes > 0))
      throw new ArgumentError(`DataParallel: bucketMegabytes is ${bucketMegabytes}. Use a number above 0.`);
    if (typeof overlap !== 'boolean') throw wrongKind('DataParallel', 'overlap', overlap, 'Use true or false');
    this.module = module;
    this.#world = world;
    makeEqual(world, module, 'DataParallel');
    this.#reducer = reducerOf(world, module, { bucketBytes: bucketMegabytes * 2 ** 20, overlaps: overlap });
    const reducer = this.#reducer;
    const run = module.forward.bind(module) as (...args: unknown[]) => unknown;
    // A function of the module's own type: whatever it takes and gives, this does.
    this.forward = ((...args: unknown[]): unknown => {
      if (isGradEnabled()) reducer.isAveraged = false;
      return run(...args);
    }) as M['forward'];
    for (const p of reducer.parameters)
      checkBeforeStep(p, () => {
        if (reducer.isAveraged || world.worldSize === 1) return;
        throw new DistributedError(
          'DataParallel: the gradients have not been averaged over the processes. Call await model.reduceGradients() after backward() and before step().',
          world.rank,
        );
      });
  }

  /** The module's own keys. */
  override fields(): Iterable<readonly [name: string, value: unknown]> {
    return [['', this.module]];
  }

  /** Replaces the gradient of each parameter by its mean over all processes; those without one anywhere stay without. */
  async reduceGradients(): Promise<void> {
    if (this.#world.worldSize === 1) return;
    await this.#reducer.reduce();
  }

  /** @internal For the Trainer. */
  get reducer(): GradientReducer {
    return this.#reducer;
  }
}

/** For the parameters of a module that are learned. */
export function reducerOf(world: World, module: Module, options?: ReducerOptions): GradientReducer {
  const learned = module.namedParameters().filter(([, p]) => p.requiresGrad);
  if (learned.length === 0)
    throw new ArgumentError('DataParallel: the module has no parameter that requires a gradient. Free some of them.');
  return new GradientReducer(world, learned as [string, Tensor][], options);
}
