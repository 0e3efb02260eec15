// Batch normalisation over the batches of all processes together. The forward pass of a layer and its backward pass are cut once each: what
// comes before is computed, a small table of statistics is added up over the processes, and the graph goes on from its numbers.
//   x [N, C, …] → samples, means and squared deviations of each channel here → those of all processes, one row each → mean and variance, joined
//   as Chan et al. 1979 do, so that nothing cancels

import { Module } from '../nn/module.js';
import { type BatchStatistics, measureBatchesBy } from '../nn/norm/batch-norm.js';
import { tensor, zeros } from '../tensor/creation.js';
import { customOp } from '../tensor/custom-op.js';
import { cat } from '../tensor/functions.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import {
  ArgumentError,
  ShapeError,
  currentRecording,
  eachRun,
  formatShape,
  inUnit,
  overwriteMemory,
  runPending,
  wrongKind,
} from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { checkWorld } from './data-parallel.js';
import { DistributedError } from './error.js';
import { storedZeros } from './values.js';
import type { World } from './world.js';

/**
 * Has every batch normalisation in `module` use the mean and variance of the batches of all processes together in training, as if one process
 * had the whole batch. Parameters, buffers and keys stay what they are; processes have to call its layers in the same order. Gives the module
 * back. Throws ArgumentError if there is no batch normalisation in it. PyTorch: SyncBatchNorm.convert_sync_batchnorm.
 *
 *     const model = new DataParallel(convertSyncBatchNorm(new ResNet18(), world), world);
 */
export function convertSyncBatchNorm<M extends Module>(module: M, world: World): M {
  if (!(module instanceof Module))
    throw wrongKind('convertSyncBatchNorm', 'the module', module, 'Pass a module, such as new Sequential(…)');
  checkWorld('convertSyncBatchNorm', world);
  const count = measureBatchesBy(module, world.worldSize === 1 ? undefined : statisticsOver(world));
  if (count === 0)
    throw new ArgumentError(
      `convertSyncBatchNorm: ${module.constructor.name} has no batch normalisation. Leave out the conversion.`,
    );
  return module;
}

function statisticsOver(world: World): BatchStatistics {
  const { rank, worldSize } = world;
  const sum = sumOver(world);
  const measure: BatchStatistics['measure'] = (name, x) => {
    const channels = x.shape[1];
    const count = x.size / channels;
    if (count === 0)
      throw new ShapeError(`${name}: input ${formatShape(x.shape)}: there is nothing to measure.`, [x.shape]);
    const others = x.shape.map((_, dim) => dim).filter((dim) => dim !== 1);
    const column = (t: Tensor): Tensor => t.reshape(x.shape.map((_, dim) => (dim === 1 ? channels : 1))) as Tensor;
    const own: Tensor = x.keep(); // both are needed again after the cut
    const mean: Tensor = own.mean(others).keep();
    const squares: Tensor = own.sub(column(mean)).square().sum(others);
    // What stands in for samples that are not there is computed like all others, and does not count.
    const isCounted = Number(!world.standsIn);
    const counts = tensor(new Float32Array(channels).fill(isCounted * count), { device: x.device }).to(
      x.dtype,
    ) as Tensor;
    const row = cat([counts, mean, squares.mul(isCounted)]).reshape([1, 3 * channels]) as Tensor;
    const empty = (rows: number): Tensor[] =>
      rows === 0 ? [] : [zeros([rows, 3 * channels], { device: x.device }).to(x.dtype)];
    const table = sum(cat([...empty(rank), row, ...empty(worldSize - rank - 1)]) as Tensor);
    const part = (i: number): Tensor => table.slice(1, i * channels, (i + 1) * channels) as Tensor;
    const [n, means, deviations] = [part(0).detach() as Tensor, part(1), part(2)];
    const total: Tensor = n.sum(0);
    const joined: Tensor = n.mul(means).sum(0).div(total);
    const all: Tensor = deviations.sum(0).add(n.mul(means.sub(joined).square()).sum(0));
    const variance = column(all.div(total));
    return [column(joined), variance, column(all.div(total.sub(1).clamp(1)))];
  };
  return { measure, finish: keptGradient };
}

/** The identity; its gradient is stored, since it is needed before the cut of the backward pass and after it. */
const keptGradient = customOp<[Tensor], readonly number[]>({
  name: 'SyncBatchNorm',
  forward: (_, x) => x,
  backward: (_, g) => [g.keep()],
  hasEffect: true,
});

/** The sum of a tensor over all processes; its gradient is the sum of the gradients that the processes have for it. */
function sumOver(world: World): (t: Tensor) => Tensor {
  const cells = new Cells();
  const sum: (t: Tensor) => Tensor = customOp<[Tensor], readonly number[]>({
    name: 'SyncBatchNorm',
    forward: (_, t) => summedNow(world, t, cells.take(t as AnyTensor)),
    backward: (_, g) => [sum(g)],
    hasEffect: true, // the other processes wait for this one
  });
  return sum;
}

/** Computes `t` and all that is kept, adds it up over the processes, and gives the sum. In a captured step it is two runs and a hook. */
function summedNow(world: World, t: Tensor, cell: Tensor): Tensor {
  const { size, dtype, device } = t as AnyTensor;
  const unit = inUnit(() => withoutGrad(() => void cell.assign_(t.detach() as Tensor)));
  runPending(unit);
  const combine = (): void => {
    const isSeen = overwriteMemory(cell, (out) => {
      const element = dtype === 'float64' ? 'float64' : 'float32';
      world.now({ kind: 'allReduce', out, count: size, element, combine: 'sum', label: 'statistics of a batch' });
    });
    if (!isSeen)
      throw new DistributedError(
        `SyncBatchNorm: the memory of '${device}' cannot be given to others. Train on 'cpu'.`,
        world.rank,
      );
  };
  eachRun(combine, () => {});
  return cell;
}

/**
 * Memory for sums. In captured functions the n-th sum has the same cell in all captures, since a capture names what it overwrites; elsewhere
 * each has its own.
 */
class Cells {
  private readonly kept = new Map<string, Tensor>();
  private readonly counts = new WeakMap<object, number>();

  take({ shape, dtype, device }: AnyTensor): Tensor {
    const make = (): Tensor => storedZeros(shape, dtype, device);
    const recording = currentRecording();
    if (recording === undefined) return make();
    const count = this.counts.get(recording) ?? 0;
    this.counts.set(recording, count + 1);
    const key = `${count} ${dtype} ${formatShape(shape)}`;
    const cell = this.kept.get(key) ?? make();
    this.kept.set(key, cell);
    return cell;
  }
}
