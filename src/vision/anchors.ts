// Boxes as changes of other boxes, the anchors, and the anchors themselves: what a detector predicts, and what it starts from.
// Names and meaning are torchvision's BoxCoder and AnchorGenerator.

import { stack } from '../tensor/functions.js';
import { fromHost } from '../tensor/from-host.js';
import { getDefaultDevice } from '../tensor/inspect.js';
import {
  ArgumentError,
  ShapeError,
  checkNeededOptions,
  checkOptions,
  formatShape,
  shown,
  checkNumber,
  checkList,
} from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { sides } from './boxes.js';
import { checkedBoxes, checkedSize, realOf } from './check.js';

export interface BoxCodeOptions {
  /** What the four numbers of a change are multiplied by. Default [1, 1, 1, 1]; the heads of Faster R-CNN have [10, 10, 5, 5]. */
  readonly weights?: readonly [number, number, number, number];
}

const BOX_CODE_OPTIONS = { weights: true } as const;

/** No box gets larger than this many times its anchor. */
const MOST = Math.log(1000 / 16);

function weightsOf(op: string, options: BoxCodeOptions | undefined): readonly [number, number, number, number] {
  checkOptions(op, options, BOX_CODE_OPTIONS);
  const { weights = [1, 1, 1, 1] } = options ?? {};
  if (!Array.isArray(weights) || weights.length !== 4 || !weights.every((w) => Number.isFinite(w) && w !== 0))
    throw new ArgumentError(`${op}: weights are ${shown(weights)}. Use four numbers other than 0.`);
  return weights;
}

/** Centres and sizes: x, y, width, height. */
function centred(boxes: Tensor): Tensor[] {
  const [x1, y1, x2, y2] = sides(boxes);
  const [width, height]: Tensor[] = [x2.sub(x1), y2.sub(y1)];
  return [x1.add(width.mul(0.5)), y1.add(height.mul(0.5)), width, height];
}

/**
 * Boxes [N, 4] as changes of anchors [N, 4]: how far the centre moves, in widths and heights of the anchor, and the logarithms of the
 * ratios of the sizes (Girshick et al. 2014) → [N, 4]. torchvision: BoxCoder.encode.
 */
export function encodeBoxes(boxes: AnyTensor, anchors: AnyTensor, options?: BoxCodeOptions): Tensor<[number, number]> {
  const [to, from] = [checkedBoxes('encodeBoxes', boxes), checkedBoxes('encodeBoxes', anchors, 'the anchors')];
  const [wx, wy, ww, wh] = weightsOf('encodeBoxes', options);
  checkAlike('encodeBoxes', to, from);
  const [x, y, width, height] = centred(to);
  const [ax, ay, aw, ah] = centred(from);
  const moved: Tensor[] = [x.sub(ax).div(aw).mul(wx), y.sub(ay).div(ah).mul(wy)];
  return stack([...moved, width.div(aw).log().mul(ww), height.div(ah).log().mul(wh)], 1);
}

/**
 * The boxes that changes of anchors [N, 4] mean: changes [N, 4] → [N, 4], or of several classes [N, 4·K] → [N, K, 4]. Sizes grow at most
 * 62.5 times. torchvision: BoxCoder.decode.
 */
export function decodeBoxes(changes: AnyTensor, anchors: AnyTensor, options?: BoxCodeOptions): Tensor<number[]> {
  checkTensor(changes, 'decodeBoxes', 'the changes');
  const from = checkedBoxes('decodeBoxes', anchors, 'the anchors');
  const weights = weightsOf('decodeBoxes', options);
  if (changes.rank !== 2 || changes.shape[1] % 4 !== 0)
    throw new ShapeError(`decodeBoxes: the changes ${formatShape(changes.shape)}: need [N, 4] or [N, 4·K]`, [
      changes.shape,
    ]);
  checkAlike('decodeBoxes', changes, from);
  const [count, width] = changes.shape;
  const apart: Tensor = realOf('decodeBoxes', changes, 'the changes').reshape([count, width / 4, 4]);
  const [dx, dy, dw, dh]: Tensor[] = weights.map((weight, i) => apart.select(2, i).div(weight));
  const [x, y, w, h]: Tensor[] = centred(from).map((t) => t.unsqueeze(1));
  const [cx, cy]: Tensor[] = [dx.mul(w).add(x), dy.mul(h).add(y)];
  const half = (t: Tensor, size: Tensor): Tensor => t.clamp(-Infinity, MOST).exp().mul(size).mul(0.5);
  const [halfWidth, halfHeight] = [half(dw, w), half(dh, h)];
  const all = [cx.sub(halfWidth), cy.sub(halfHeight), cx.add(halfWidth), cy.add(halfHeight)];
  const boxes: Tensor = stack(all, 2);
  return width === 4 ? boxes.squeeze(1) : boxes;
}

function checkAlike(op: string, boxes: AnyTensor, anchors: AnyTensor): void {
  if (boxes.shape[0] === anchors.shape[0]) return;
  throw new ShapeError(
    `${op}: ${formatShape(boxes.shape)} for anchors ${formatShape(anchors.shape)}: need one for each anchor`,
    [boxes.shape, anchors.shape],
  );
}

// ---------------------------------------------------------------- anchors

export interface AnchorOptions {
  /** For each map: the side of the square of an anchor's area, or several. */
  readonly sizes: readonly (number | readonly number[])[];
  /** Heights over widths. Default [0.5, 1, 2]. */
  readonly aspectRatios?: readonly number[];
}

const ANCHOR_OPTIONS = { sizes: true, aspectRatios: true } as const;

/** Halves go to the even neighbour, as in PyTorch. */
function rounded(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** Around 0, ratio by ratio, in each of them size by size; float32, as PyTorch has it. */
function anchorsAround(sizes: readonly number[], ratios: readonly number[]): number[][] {
  const { fround } = Math;
  return ratios.flatMap((ratio) => {
    const tall = fround(Math.sqrt(fround(ratio)));
    const wide = fround(1 / tall);
    return sizes.map((size) => {
      const [w, h] = [fround(wide * size) / 2, fround(tall * size) / 2];
      return [-w, -h, w, h].map(rounded);
    });
  });
}

/**
 * Boxes of every size and ratio at each position of maps of an image [height, width], [A, 4]: map by map, row by row, in each position
 * ratio by ratio. `mapSizes` are [height, width] of the maps. torchvision: AnchorGenerator (Ren et al. 2015).
 *
 *     anchors([128, 160], [[32, 40], [16, 20]], { sizes: [32, 64] })   // [3 · (32·40 + 16·20), 4]
 */
export function anchors(
  imageSize: readonly [number, number],
  mapSizes: readonly (readonly [number, number])[],
  options: AnchorOptions,
): Tensor<[number, number]> {
  const [height, width] = checkedSize('anchors', imageSize, 'imageSize');
  checkList('anchors', 'mapSizes', mapSizes, 'sizes of maps: [[32, 40], [16, 20]]');
  checkNeededOptions('anchors', options, ANCHOR_OPTIONS, '{ sizes: [32, 64] }');
  const { sizes, aspectRatios = [0.5, 1, 2] } = options;
  checkList('anchors', 'sizes', sizes, 'sizes: [32, 64]');
  checkList('anchors', 'aspectRatios', aspectRatios, 'ratios: [0.5, 1, 2]');
  if (sizes.length !== mapSizes.length)
    throw new ArgumentError(
      `anchors: ${sizes.length} sizes for ${mapSizes.length} maps. Give one, or a list, for each.`,
    );
  for (const size of [...sizes.flat(), ...aspectRatios]) checkNumber('anchors', 'a size or ratio', size);
  const all = mapSizes.flatMap((size, level) => {
    const [rows, columns] = checkedSize('anchors', size, 'the size of a map');
    const [down, right] = [Math.floor(height / rows), Math.floor(width / columns)];
    const base = anchorsAround([sizes[level]].flat(), aspectRatios);
    return Array.from({ length: rows * columns }, (_, at) => {
      const [x, y] = [(at % columns) * right, Math.floor(at / columns) * down];
      return base.flatMap(([x1, y1, x2, y2]) => [x1 + x, y1 + y, x2 + x, y2 + y]);
    }).flat();
  });
  return fromHost('anchors', Float32Array.from(all), [all.length / 4, 4], 'float32', getDefaultDevice());
}
