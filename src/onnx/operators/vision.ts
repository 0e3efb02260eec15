// Operators on images and boxes: sampling at positions, regions of interest, deformable convolution, suppression of boxes that overlap.

import { affineGrid, gridSample } from '../../functions/sampling.js';
import { embedding, where } from '../../tensor/functions.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type HostArray, allocate, intsOf } from '../host/array.js';
import type { Call, Operators, Result } from './operator.js';
import { positionsOf, windowsFrom } from './windows.js';
import { largest } from '../../tensor/extremes.js';

const PADDING = { zeros: 'zeros', border: 'border', reflection: 'reflection' } as const;

function isPadding(name: string): name is keyof typeof PADDING {
  return name in PADDING;
}

function sampled(call: Call): AnyTensor {
  const mode = call.text('mode', call.opset < 20 ? 'bilinear' : 'linear');
  const padding = call.text('padding_mode', 'zeros');
  if (!isPadding(padding)) return call.fail(`the padding_mode '${padding}' is not known`);
  const alignCorners = call.flag('align_corners');
  const [x, grid] = [call.tensor(0), call.tensor(1)];
  if (mode === 'cubic' || mode === 'bicubic') return cubicSampled(call, x, grid, padding, alignCorners);
  return gridSample(x, grid, { mode: mode === 'nearest' ? 'nearest' : 'bilinear', paddingMode: padding, alignCorners });
}

/** What the method of Keys (1981) takes from the four neighbours of a position, with the constant −0.75. */
function cubicWeights(t: Tensor): Tensor[] {
  const a = -0.75;
  const near = (d: Tensor): Tensor =>
    d
      .mul(a + 2)
      .sub(a + 3)
      .mul(d)
      .mul(d)
      .add(1);
  const far = (d: Tensor): Tensor =>
    d
      .mul(a)
      .sub(5 * a)
      .mul(d)
      .add(8 * a)
      .mul(d)
      .sub(4 * a);
  const back: Tensor = t.neg().add(1);
  return [far(t.add(1)), near(t), near(back), far(back.add(1))];
}

/** Whole positions folded back into the image, as a ball between two walls. */
function folded(at: Tensor, size: number, alignCorners: boolean): Tensor {
  const [low, span] = alignCorners ? [0, size - 1] : [-0.5, size];
  if (span === 0) return at.mul(0);
  const distance: Tensor = at.sub(low).abs();
  const rest: Tensor = distance.remainder(2 * span);
  const inside: Tensor = where(rest.gt(span), rest.neg().add(2 * span), rest);
  return inside.add(low);
}

/** x [N, C, H, W] at grid [N, H', W', 2], each element of 16 neighbours. */
function cubicSampled(call: Call, x: Tensor, grid: Tensor, padding: string, alignCorners: boolean): AnyTensor {
  if (x.rank !== 4) return call.fail('the mode cubic is there for two dimensions only');
  const [n, channels, height, width] = x.shape;
  const [, outHeight, outWidth] = grid.shape;
  const count = outHeight * outWidth;
  const along = (i: number, size: number): { taps: { at: Tensor; inside: Tensor }[]; weights: Tensor[] } => {
    const unit: Tensor = grid.select(3, i).add(1);
    const raw: Tensor = alignCorners ? unit.mul((size - 1) / 2) : unit.mul(size / 2).sub(0.5);
    const limited =
      padding === 'border'
        ? raw.maximum(0).minimum(size - 1)
        : padding === 'reflection'
          ? folded(raw, size, alignCorners)
          : raw;
    const base: Tensor = limited.floor();
    const taps = [-1, 0, 1, 2].map((k) => {
      const place: Tensor = base.add(k);
      const at: Tensor = padding === 'reflection' ? folded(place, size, alignCorners) : place;
      const inside: Tensor = (padding === 'zeros' ? place.ge(0).logicalAnd(place.le(size - 1)) : place.eq(place)).to(
        x.dtype,
      );
      return { at: at.maximum(0).minimum(size - 1), inside };
    });
    return { taps, weights: cubicWeights(limited.sub(base)) };
  };
  const [columns, rows] = [along(0, width), along(1, height)];
  const elements: Tensor = x.reshape([n, channels, height * width]);
  let total: Tensor | undefined;
  rows.taps.forEach((row, i) => {
    columns.taps.forEach((column, j) => {
      const index = row.at
        .mul(width)
        .add(column.at)
        .round()
        .to('int32')
        .reshape([n, 1, count])
        .expand([n, channels, count]);
      const weight: Tensor = rows.weights[i].mul(columns.weights[j]).mul(row.inside).mul(column.inside);
      const term: Tensor = elements.gather(2, index).mul(weight.reshape([n, 1, count]));
      total = total === undefined ? term : total.add(term);
    });
  });
  return (total as Tensor).reshape([n, channels, outHeight, outWidth]);
}

// ---------------------------------------------------------------- regions

/** The positions that a bin is sampled at, and what each of them takes from its neighbours. */
interface Samples {
  readonly rows: number[];
  readonly weights: number[];
}

function bilinear(y: number, x: number, height: number, width: number, base: number, into: Samples): void {
  if (y < -1 || y > height || x < -1 || x > width) {
    for (let i = 0; i < 4; i++) {
      into.rows.push(0);
      into.weights.push(0);
    }
    return;
  }
  const [fy, fx] = [Math.max(y, 0), Math.max(x, 0)];
  const [y0, x0] = [Math.min(Math.floor(fy), height - 1), Math.min(Math.floor(fx), width - 1)];
  const [y1, x1] = [Math.min(y0 + 1, height - 1), Math.min(x0 + 1, width - 1)];
  const [ty, tx] = [y0 >= height - 1 ? 0 : fy - y0, x0 >= width - 1 ? 0 : fx - x0];
  for (const [row, column, weight] of [
    [y0, x0, (1 - ty) * (1 - tx)],
    [y0, x1, (1 - ty) * tx],
    [y1, x0, ty * (1 - tx)],
    [y1, x1, ty * tx],
  ]) {
    into.rows.push(base + row * width + column);
    into.weights.push(weight);
  }
}

/** x [N, C, H, W], boxes [R, 4] → [R, C, h, w]: means or maxima of bilinear samples (He et al. 2017). The boxes are read. */
function regionsAligned(call: Call): AnyTensor {
  const x = call.tensor(0);
  const [boxes, batches] = [call.host(1), call.host(2)];
  const [, channels, height, width] = x.shape;
  const [outHeight, outWidth] = [call.int('output_height', 1), call.int('output_width', 1)];
  const scale = call.float('spatial_scale', 1);
  const ratio = call.int('sampling_ratio', 0);
  const isHalf =
    call.text('coordinate_transformation_mode', call.opset < 16 ? 'output_half_pixel' : 'half_pixel') === 'half_pixel';
  const isMean = call.text('mode', 'avg') === 'avg';
  const count = boxes.shape[0];
  const shift = isHalf ? 0.5 : 0;
  const steps = (size: number, bins: number): number => (ratio > 0 ? ratio : Math.max(1, Math.ceil(size / bins)));
  const regions = Array.from({ length: count }, (_, r) => {
    const [x1, y1, x2, y2] = [0, 1, 2, 3].map((k) => boxes.data[r * 4 + k] * scale - shift);
    const [w, h] = isHalf ? [x2 - x1, y2 - y1] : [Math.max(x2 - x1, 1), Math.max(y2 - y1, 1)];
    return { x1, y1, w, h, base: batches.data[r] * height * width };
  });
  // bins of all regions have the same number of samples: those beyond a region's own have no weight
  const most = Math.max(1, largest(regions.map(({ w, h }) => steps(h, outHeight) * steps(w, outWidth))));
  const into: Samples = { rows: [], weights: [] };
  for (const { x1, y1, w, h, base } of regions) {
    const [binHeight, binWidth] = [h / outHeight, w / outWidth];
    const [ny, nx] = [steps(h, outHeight), steps(w, outWidth)];
    for (let py = 0; py < outHeight; py++) {
      for (let px = 0; px < outWidth; px++) {
        const begin = into.rows.length;
        for (let iy = 0; iy < ny; iy++)
          for (let ix = 0; ix < nx; ix++)
            bilinear(
              y1 + (py + (iy + 0.5) / ny) * binHeight,
              x1 + (px + (ix + 0.5) / nx) * binWidth,
              height,
              width,
              base,
              into,
            );
        const own = into.rows.length;
        for (let k = begin; isMean && k < own; k++) into.weights[k] /= ny * nx;
        // a maximum sees its first sample again, a mean nothing
        while (into.rows.length < begin + most * 4) {
          into.weights.push(isMean ? 0 : into.weights[begin + ((into.rows.length - begin) % 4)]);
          into.rows.push(into.rows[begin + ((into.rows.length - begin) % 4)]);
        }
      }
    }
  }
  const table: Tensor = x.permute([0, 2, 3, 1]).reshape([x.size / channels, channels]);
  const bins = count * outHeight * outWidth;
  const index = call
    .made(intsOf(into.rows))
    .to('int32')
    .reshape([bins * most * 4]);
  const weights: HostArray = { type: 'float32', shape: [bins, most * 4, 1], data: Float32Array.from(into.weights) };
  const taps: Tensor = embedding(table, index)
    .reshape([bins, most * 4, channels])
    .mul(call.made(weights));
  const done: Tensor = isMean ? taps.sum(1) : taps.amax(1);
  return done.reshape([count, outHeight, outWidth, channels]).permute([0, 3, 1, 2]);
}

// ---------------------------------------------------------------- deformable convolution

/** x [N, C, H, W], w [O, C / groups, kh, kw], an offset of each tap at each position, perhaps a mask (Dai et al. 2017, Zhu et al. 2019). */
function deformed(call: Call): AnyTensor {
  const [x, w, offsets] = [call.tensor(0), call.tensor(1), call.tensor(2)];
  const [n, channels, height, width] = x.shape;
  const [outputs, perGroup, kernelHeight, kernelWidth] = w.shape;
  const windows = windowsFrom(call, [kernelHeight, kernelWidth], [height, width]);
  const [outHeight, outWidth] = positionsOf(windows, [height, width]);
  const [groups, offsetGroups] = [call.int('group', 1), call.int('offset_group', 1)];
  const [taps, count] = [kernelHeight * kernelWidth, outHeight * outWidth];
  const base = (axis: 0 | 1): Tensor => {
    const out = allocate('float32', [1, 1, taps, count]);
    for (let tap = 0; tap < taps; tap++) {
      const k = axis === 0 ? Math.floor(tap / kernelWidth) : tap % kernelWidth;
      for (let p = 0; p < count; p++) {
        const place = axis === 0 ? Math.floor(p / outWidth) : p % outWidth;
        out.data[tap * count + p] = place * windows.stride[axis] - windows.lo[axis] + k * windows.dilation[axis];
      }
    }
    return call.made(out).to(x.dtype);
  };
  const moved: Tensor = offsets.reshape([n, offsetGroups, taps, 2, count]);
  const [y, column]: Tensor[] = [moved.select(3, 0).add(base(0)), moved.select(3, 1).add(base(1))];
  const [y0, x0]: Tensor[] = [y.detach().floor(), column.detach().floor()];
  const [ty, tx]: Tensor[] = [y.sub(y0), column.sub(x0)];
  const share = channels / offsetGroups;
  const perChannel = (t: Tensor): Tensor =>
    t
      .reshape([n, offsetGroups, 1, taps * count])
      .expand([n, offsetGroups, share, taps * count])
      .reshape([n, channels, taps * count]);
  const elements: Tensor = x.reshape([n, channels, height * width]);
  let columns: Tensor | undefined;
  for (const [dy, dx] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]) {
    const [row, at]: Tensor[] = [y0.add(dy), x0.add(dx)];
    const inside = row
      .ge(0)
      .logicalAnd(row.le(height - 1))
      .logicalAnd(at.ge(0))
      .logicalAnd(at.le(width - 1));
    const index: Tensor = row
      .maximum(0)
      .minimum(height - 1)
      .mul(width)
      .add(at.maximum(0).minimum(width - 1));
    const weight: Tensor = (dy === 0 ? ty.neg().add(1) : ty)
      .mul(dx === 0 ? tx.neg().add(1) : tx)
      .mul(inside.to(x.dtype));
    const term: Tensor = elements.gather(2, perChannel(index).to('int32')).mul(perChannel(weight));
    columns = columns === undefined ? term : columns.add(term);
  }
  let found = columns as Tensor;
  if (call.has(4)) found = found.mul(perChannel(call.tensor(4).reshape([n, offsetGroups, taps, count])));
  const apart: Tensor = found.reshape([n, groups, perGroup * taps, count]);
  const weights: Tensor = w.reshape([1, groups, outputs / groups, perGroup * taps]);
  const made: Tensor = weights.matmul(apart).reshape([n, outputs, outHeight, outWidth]);
  return call.has(3) ? made.add(call.tensor(3).reshape([1, outputs, 1, 1])) : made;
}

// ---------------------------------------------------------------- boxes

/** Rows [batch, class, box] of the boxes that are kept, the best ones first. */
function suppressed(call: Call): Result {
  const [boxes, scores] = [call.host(0), call.host(1)];
  const limit = call.has(2) ? call.number(2) : 0;
  const overlap = call.has(3) ? call.number(3) : 0;
  const least = call.has(4) ? call.number(4) : -Infinity;
  const isCentre = call.flag('center_point_box');
  const [batches, count] = boxes.shape;
  const classes = scores.shape[1];
  const corners = (b: number, i: number): readonly [number, number, number, number] => {
    const [p, q, r, s] = [0, 1, 2, 3].map((k) => boxes.data[(b * count + i) * 4 + k]);
    if (isCentre) return [q - s / 2, p - r / 2, q + s / 2, p + r / 2];
    return [Math.min(p, r), Math.min(q, s), Math.max(p, r), Math.max(q, s)];
  };
  const found: number[] = [];
  for (let b = 0; b < batches; b++) {
    for (let c = 0; c < classes; c++) {
      const score = (i: number): number => scores.data[(b * classes + c) * count + i];
      const order = Array.from({ length: count }, (_, i) => i)
        .filter((i) => score(i) > least)
        .sort((i, j) => score(j) - score(i) || i - j);
      const kept: number[] = [];
      for (const i of order) {
        if (kept.length >= limit) break;
        const own = corners(b, i);
        if (kept.every((k) => intersection(own, corners(b, k)) <= overlap)) kept.push(i);
      }
      for (const i of kept) found.push(b, c, i);
    }
  }
  const out = intsOf(found);
  return { ...out, shape: [found.length / 3, 3] };
}

/** The part of the union that two boxes have in common. */
function intersection(
  [a0, a1, a2, a3]: readonly [number, number, number, number],
  [b0, b1, b2, b3]: readonly [number, number, number, number],
): number {
  const common = Math.max(0, Math.min(a2, b2) - Math.max(a0, b0)) * Math.max(0, Math.min(a3, b3) - Math.max(a1, b1));
  const union = (a2 - a0) * (a3 - a1) + (b2 - b0) * (b3 - b1) - common;
  return union > 0 ? common / union : 0;
}

export const VISION: Operators = {
  GridSample: { inputs: [2, 2], run: sampled },
  AffineGrid: {
    inputs: [2, 2],
    settings: [1],
    run: (call) => affineGrid(call.tensor(0), call.numbers(1), { alignCorners: call.flag('align_corners') }),
  },
  RoiAlign: { inputs: [3, 3], settings: [1, 2], run: regionsAligned },
  DeformConv: { inputs: [3, 5], weights: [1, 3], run: deformed },
  NonMaxSuppression: { inputs: [2, 5], settings: [2, 3, 4], host: suppressed },
};
