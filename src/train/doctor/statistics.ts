// The numbers that are taken of one tensor while it is being trained, as one small vector each, so that a layer costs one
// read. Tensors in, tensors out (`measure…`), and back to the record's words (`read…`).
// Must not know: modules, hooks, when they are taken.

import { stack } from '../../tensor/functions.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { InputStatistics, LayerStatistics, ParameterStatistics, TargetStatistics } from '../record.js';

/** The ends of the range of activations that flatten out there. Softmax is left out: it is sure of itself at the end. */
const RANGES: Readonly<Record<string, readonly [low: number, high: number]>> = {
  Sigmoid: [0, 1],
  Hardsigmoid: [0, 1],
  Tanh: [-1, 1],
  Softsign: [-1, 1],
  Hardtanh: [-1, 1],
};

/** How near to an end counts as saturated: the slope of sigmoid and tanh is below 4 % of its best there. */
const NEAR = 0.01;

export function canSaturate(kind: string): boolean {
  return Object.hasOwn(RANGES, kind);
}

const share = (t: AnyTensor): Tensor => t.to('float32').mean();
const rootMeanSquare = (t: Tensor): Tensor => t.square().mean().sqrt();

function spreadOf(x: Tensor, mean: Tensor): Tensor {
  return rootMeanSquare(x.sub(mean));
}

/** Units are channels (axis 1) of images, else the last axis. */
function unitAxis(rank: number): number {
  return rank === 4 ? 1 : rank - 1;
}

/** Share of units that are 0 everywhere in the batch. */
function deadShare(x: Tensor): Tensor {
  const unit = unitAxis(x.rank);
  const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== unit);
  const largest = x.abs().amax(others);
  return share(largest.eq(0));
}

const LAYER_FIELDS = ['mean', 'std', 'zero', 'dead', 'saturated', 'notFinite'] as const;

/** Vector of LAYER_FIELDS. */
export function measureOutput(x: Tensor, kind: string): Tensor {
  const mean = x.mean();
  const [low, high] = RANGES[kind] ?? [0, 0];
  const margin = (high - low) * NEAR;
  const saturated = share(x.lt(low + margin)).add(share(x.gt(high - margin)));
  return stack([
    mean,
    spreadOf(x, mean),
    share(x.eq(0)),
    x.rank < 2 ? share(x.eq(0)) : deadShare(x),
    canSaturate(kind) ? saturated : mean,
    share(x.isFinite().logicalNot()),
  ]);
}

export function measureGradient(g: Tensor): Tensor {
  return rootMeanSquare(g);
}

export function readOutput(
  name: string,
  kind: string,
  values: ArrayLike<number>,
  gradStd: number | undefined,
): LayerStatistics {
  const [mean, std, zero, dead, saturated, notFinite] = LAYER_FIELDS.map((_, i) => values[i]);
  return {
    name,
    kind,
    mean,
    std,
    zero,
    dead,
    ...(canSaturate(kind) && { saturated }),
    notFinite,
    ...(gradStd !== undefined && { gradStd }),
  };
}

// ---------------------------------------------------------------- data

/** mean, std, min, max, share that is not finite. */
export function measureInput(x: Tensor): Tensor {
  const mean = x.mean();
  return stack([mean, spreadOf(x, mean), x.amin(), x.amax(), share(x.isFinite().logicalNot())]);
}

export function readInput(
  batch: number,
  [mean, std, min, max, notFinite]: ArrayLike<number> & Iterable<number>,
): InputStatistics {
  return { batch, mean, std, min, max, notFinite };
}

/** mean, std, min, max, and for labels of `classes` classes the share of the commonest. */
export function measureTargets(target: AnyTensor, classes: number | undefined): Tensor {
  const y = target.to('float32').reshape([target.size]);
  const mean = y.mean();
  const basics = [mean, spreadOf(y, mean), y.amin(), y.amax()];
  if (classes === undefined) return stack(basics);
  // How often the label of each sample occurs, rather than a histogram: it needs no memory in the number of classes.
  const same = y.unsqueeze(0).eq(y.unsqueeze(1));
  const commonest = same.to('float32').mean(0).amax();
  return stack([...basics, commonest]);
}

export function readTargets(count: number, values: ArrayLike<number>): TargetStatistics {
  const [mean, std, min, max] = [values[0], values[1], values[2], values[3]];
  return { count, mean, std, min, max, ...(values.length > 4 && { commonest: values[4] }) };
}

// ---------------------------------------------------------------- parameters

const norm = (t: Tensor): Tensor => t.square().sum().sqrt();

/** norm, spread of the rows (0 for a vector), norm of the gradient (0 without one). */
export function measureParameter(p: Tensor, gradient: Tensor | undefined): Tensor {
  const own = norm(p);
  const spread = p.rank < 2 ? own : rootMeanSquare(p.sub(p.mean(0, { keepdim: true })));
  return stack([own, spread, gradient === undefined ? own : norm(gradient)]);
}

/** Norm of `p + negatedOld`: of the update, where the second is minus what p was before. */
export function measureUpdate(p: Tensor, negatedOld: Tensor): Tensor {
  return norm(p.add(negatedOld));
}

export function readParameter(
  name: string,
  shape: readonly number[],
  values: ArrayLike<number>,
  { hasGradient, update }: { readonly hasGradient: boolean; readonly update: number | undefined },
): ParameterStatistics {
  const [own, spread, gradNorm] = [values[0], values[1], values[2]];
  return {
    name,
    shape,
    norm: own,
    ...(shape.length >= 2 && { spread }),
    ...(hasGradient && { gradNorm }),
    // a parameter of zeros (a fresh bias) has no ratio
    ...(update !== undefined && own > 0 && { updateRatio: update / own }),
  };
}
