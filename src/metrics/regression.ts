// Errors of numbers: mean absolute and squared error, its root, and the share of variance explained.

import { full } from '../tensor/creation.js';
import { stack, where } from '../tensor/functions.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { ShapeError, formatShape, sameShape } from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { CollectedMetric, Sums, clear, settle, storedNumbers, storedZeros } from './state.js';

/** A target [N] and an output [N, 1] would broadcast to [N, N]: shapes must be equal. */
function checkShapes(op: string, output: AnyTensor, target: AnyTensor): void {
  checkTensor(output, op, 'the output');
  checkTensor(target, op, 'the target');
  if (sameShape(output.shape, target.shape)) return;
  const advice = output.size === target.size ? ` Use output.reshape(${formatShape(target.shape)}).` : '';
  throw new ShapeError(
    `${op}: output ${formatShape(output.shape)} and target ${formatShape(target.shape)} differ in shape.${advice}`,
    [output.shape, target.shape],
  );
}

abstract class MeanError extends CollectedMetric {
  readonly better = 'lower';
  protected readonly collected = new Sums(this.constructor.name);

  protected abstract error(difference: Tensor): AnyTensor;

  update(output: AnyTensor, target: AnyTensor): void {
    checkShapes(this.constructor.name, output, target);
    withoutGrad(() => {
      const difference = output.to('float32').sub(target.to('float32'));
      this.collected.add(stack([this.error(difference).sum(), full([], output.size)]));
    });
  }

  async compute(): Promise<number> {
    const [sum, count] = (await this.collected.read()) ?? [0, 0];
    return sum / count;
  }
}

/** Mean |output − target| over all elements. scikit-learn: mean_absolute_error. */
export class MeanAbsoluteError extends MeanError {
  readonly name = 'mae';
  protected error(difference: Tensor): AnyTensor {
    return difference.abs();
  }
}

/** Mean (output − target)² over all elements. scikit-learn: mean_squared_error. */
export class MeanSquaredError extends MeanError {
  readonly name: string = 'mse';
  protected error(difference: Tensor): AnyTensor {
    return difference.square();
  }
}

/** The root of the mean squared error over all elements. scikit-learn: root_mean_squared_error of flat arrays. */
export class RootMeanSquaredError extends MeanSquaredError {
  override readonly name = 'rmse';
  override async compute(): Promise<number> {
    return Math.sqrt(await super.compute());
  }
}

/**
 * R² = 1 − Σ (target − output)² / Σ (target − mean)²: the share of the targets' variance that is explained; for [N, K] the
 * mean over the K columns. 1 at best, 0 for the mean, below 0 for worse. NaN for fewer than two samples; for constant
 * targets 1 if they are met, else 0. scikit-learn: r2_score.
 */
export class R2Score extends CollectedMetric {
  readonly name = 'r2';
  readonly better = 'higher';
  protected readonly collected = new Sums('R2Score');
  /**
   * Samples, mean and squared deviations of the targets so far, [K] each: batches are merged as Chan et al. 1979 do. All is counted from
   * the first target, the fourth: what is constant deviates by nothing then, and not by its rounding.
   */
  private moments: readonly Tensor[] | undefined;

  update(output: AnyTensor, target: AnyTensor): void {
    checkShapes('R2Score', output, target);
    withoutGrad(() => {
      const columns = (t: AnyTensor) => t.to('float32').reshape(t.rank > 1 ? [t.shape[0], -1] : [t.size, 1]) as Tensor;
      if (target.size === 0) return;
      const y = columns(target);
      this.collected.add(y.sub(columns(output)).square().sum(0));
      settle(this.moments);
      const width = y.shape[1];
      this.moments ??= [0, 0, 0, 0].map(() => storedZeros(y, [width], 'float32') as Tensor);
      const [count, mean, squares, origin] = this.moments;
      const start = where(count.eq(0), y.slice(0, 0, 1).reshape([width]), origin) as Tensor;
      const shifted = y.sub(start) as Tensor;
      const rows = y.shape[0];
      const batchMean = shifted.mean(0) as Tensor;
      const total = count.add(rows) as Tensor;
      const apart = batchMean.sub(mean) as Tensor;
      const between = apart.square().mul(count).mul(rows).div(total) as Tensor;
      const within = shifted.sub(batchMean).square().sum(0) as Tensor;
      mean.assign_(mean.add(apart.mul(rows).div(total)));
      squares.assign_(squares.add(within).add(between));
      count.assign_(total);
      origin.assign_(start);
    });
  }

  async compute(): Promise<number> {
    const residuals = await this.collected.read();
    if (residuals === undefined || this.moments === undefined) return NaN;
    const [[count], , squares] = await Promise.all(this.moments.map((m) => m.data()));
    if (!(count >= 2)) return NaN;
    const scores = residuals.map((residual, i) =>
      squares[i] === 0 ? (residual === 0 ? 1 : 0) : 1 - residual / squares[i],
    );
    return scores.reduce((a, b) => a + b, 0) / scores.length;
  }

  override async state(): Promise<readonly number[]> {
    const moments = await Promise.all((this.moments ?? []).map((m) => m.data()));
    return [moments[0]?.length ?? 0, ...moments.flatMap((m) => [...m]), ...(await super.state())];
  }

  /** The moments are joined as those of batches are. */
  override merge(states: readonly (readonly number[])[]): readonly number[] {
    const sums = super.merge(states.map(([width, ...numbers]) => numbers.slice(4 * width)));
    const given = states.filter(([width]) => width > 0);
    if (given.length === 0) return [0, ...sums];
    const [width] = given[0];
    if (given.some(([other]) => other !== width))
      throw new ShapeError(
        'R2Score: the processes have targets of different numbers of columns. Use one metric for each.',
      );
    const joined = Array.from({ length: width }, (_, k) => {
      let [count, mean, squares, origin] = [0, 0, 0, 0];
      for (const [, ...numbers] of given) {
        const [rows, theirMean, theirSquares, theirOrigin] = [0, 1, 2, 3].map((i) => numbers[i * width + k]);
        if (rows === 0) continue;
        if (count === 0) origin = theirOrigin;
        const apart = theirOrigin - origin + theirMean - mean;
        const total = count + rows;
        squares += theirSquares + (apart * apart * count * rows) / total;
        mean += (apart * rows) / total;
        count = total;
      }
      return [count, mean, squares, origin];
    });
    return [width, ...[0, 1, 2, 3].flatMap((i) => joined.map((moments) => moments[i])), ...sums];
  }

  override restore([width, ...numbers]: readonly number[]): void {
    super.restore(numbers.slice(4 * width));
    if (width === 0) return clear(this.moments);
    const parts = [0, 1, 2, 3].map(
      (i) => storedNumbers(numbers.slice(i * width, (i + 1) * width), [width], 'float32', this.moments?.[0]) as Tensor,
    );
    const { moments } = this;
    if (moments === undefined) this.moments = parts;
    else withoutGrad(() => moments.forEach((m, i) => m.assign_(parts[i])));
  }

  override reset(): void {
    super.reset();
    clear(this.moments);
  }
}
