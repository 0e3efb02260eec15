// A small one-stage detector without anchors, as FCOS (Tian et al. 2019) on a single map: each position says which class lies around it and how far
// the four sides of its box are. Positions near the centre of a box learn it; the loss is focal loss for classes and generalised intersection over
// union for boxes.
//   images [N, inChannels, H, W] → logits [N, A, classes], distances [N, A, 4] in pixels; A = H/stride · W/stride

import { Module, ReLU, init } from '../../nn/index.js';
import { focalLoss } from '../../nn/losses/likelihoods.js';
import { noGrad } from '../../tensor/grad-mode.js';
import { stack, where } from '../../tensor/functions.js';
import {
  type OptionNames,
  ShapeError,
  checkHas,
  checkNumber,
  checkOptions,
  formatShape,
} from '../../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor, realize } from '../../tensor/tensor.js';
import {
  type Detection,
  type DetectionOptions,
  distancesToBoxes,
  gridPoints,
  selectDetections,
} from '../../vision/index.js';
import { type Block, type Conv, batchNorm, conv, inOrder, maxPool, plainConv, startConvolutions } from './blocks.js';
import { IMAGE_OPTIONS, type ImageOptions, checkImages, checkSizes } from './image-model.js';
import { checkStages } from './segmentation.js';

export interface DenseDetectorOptions extends ImageOptions {
  /** Channels of the convolutions, stage by stage, with a pooling between stages. Default [[16, 16], [32, 32], [64, 64, 64, 64]]. */
  readonly stages?: readonly (readonly number[])[];
}

const DENSE_DETECTOR_OPTIONS: OptionNames<DenseDetectorOptions> = { ...IMAGE_OPTIONS, stages: true };

/** What the network says, position by position, row by row. */
export interface DenseDetections {
  /** [N, A, classes] */
  readonly logits: Tensor;
  /** Shape [N, A, 4]; left, top, right, bottom, in pixels. */
  readonly distances: Tensor;
  /** Shape [A, 2]; x and y of the positions. */
  readonly points: Tensor;
  /** Pixels between two positions. */
  readonly stride: number;
}

/** Part of the positions with an object that the network begins with (Lin et al. 2017). */
const PRIOR = 0.01;

/** Images [N, inChannels, H, W], of a multiple of `stride` each way. Keys: `body.0.0.weight`, `head.0.weight`, `score.weight`, `box.weight`. */
export class DenseDetector extends Module {
  readonly body: readonly Block[];
  readonly score: Conv;
  readonly box: Conv;
  readonly classes: number;
  readonly inChannels: number;
  /** Pixels between two positions. */
  readonly stride: number;
  private readonly pool: Block;

  constructor(options: DenseDetectorOptions = {}) {
    checkOptions(new.target.name, options, DENSE_DETECTOR_OPTIONS);
    super();
    const { classes = 3, inChannels = 3 } = options;
    const stages: readonly (readonly number[])[] = options.stages ?? [
      [16, 16],
      [32, 32],
      [64, 64, 64, 64],
    ];
    checkSizes('DenseDetector', classes, inChannels);
    checkStages('DenseDetector', stages);
    this.classes = classes;
    this.inChannels = inChannels;
    this.stride = 2 ** (stages.length - 1);
    let from = inChannels;
    this.body = stages.map((stage) =>
      inOrder(
        ...stage.flatMap((to) => {
          const blocks = [plainConv(from, to, 3, { padding: 1 }), batchNorm(to), new ReLU()];
          from = to;
          return blocks;
        }),
      ),
    );
    this.score = conv(from, classes, 1);
    this.box = conv(from, 4, 1);
    this.pool = maxPool(2);
    startConvolutions(this);
    init.normal_(this.score.weight, 0, 0.01);
    init.normal_(this.box.weight, 0, 0.01);
    if (this.score.bias !== undefined) init.constant_(this.score.bias, -Math.log((1 - PRIOR) / PRIOR));
    if (this.box.bias !== undefined) init.constant_(this.box.bias, 2);
  }

  forward(x: Tensor): DenseDetections {
    checkTensor(x, 'DenseDetector', 'the images');
    checkImages('DenseDetector', x, this.inChannels);
    const { stride } = this;
    const [count, , height, width] = x.shape;
    if (height % stride !== 0 || width % stride !== 0)
      throw new ShapeError(
        `DenseDetector: input ${formatShape(x.shape)}: height and width are not multiples of ${stride}. Pad or resize the images`,
        [x.shape],
      );
    const map = this.body.reduce((y, stage, i) => stage.forward(i === 0 ? y : this.pool.forward(y)), x);
    const rows = (t: Tensor): Tensor => t.flatten(2).transpose(1, 2).reshape([count, -1, t.shape[1]]);
    const { points } = gridPoints([[height / stride, width / stride]], [stride]);
    return {
      logits: rows(this.score.forward(map)),
      distances: rows(this.box.forward(map)).softplus().mul(stride),
      points,
      stride,
    };
  }

  /** The objects in each image, best first: `options` are those of `selectDetections`. The network should be in evaluation mode. */
  async detect(x: Tensor, options: DetectionOptions = {}): Promise<Detection[][]> {
    const [boxes, scores] = noGrad((): [Tensor, Tensor] => {
      const { logits, distances, points } = this.forward(x);
      return [distancesToBoxes(points, distances), logits.sigmoid()];
    });
    await realize(boxes, scores);
    const found: Detection[][] = [];
    for (let i = 0; i < x.shape[0]; i++)
      found.push(await selectDetections(boxes.select(0, i), scores.select(0, i), options));
    return found;
  }
}

export interface DetectionLossOptions {
  /** What the boxes count beside the classes. Default 1. */
  readonly boxWeight?: number;
}

const DETECTION_LOSS_OPTIONS: OptionNames<DetectionLossOptions> = { boxWeight: true };

/** How many strides from a box's centre positions learn it, in each direction. */
const CENTRE = 1.5;

/**
 * Focal loss of all positions, and 1 − generalised IoU of those with an object, both divided by the number of the latter. boxes [N, M, 4] as
 * x1, y1, x2, y2; labels int32 [N, M], −1 where there is none. A position belongs to the smallest box that it lies in, if it is near its centre.
 */
export function detectionLoss(
  output: DenseDetections,
  boxes: Tensor,
  labels: AnyTensor,
  options: DetectionLossOptions = {},
): Tensor<[]> {
  const op = 'detectionLoss';
  checkHas(op, 'the output', output, ['logits', 'distances', 'points', 'stride'], 'Give what a DenseDetector returns');
  checkTensor(boxes, op, 'the boxes');
  checkTensor(labels, op, 'the labels');
  checkOptions(op, options, DETECTION_LOSS_OPTIONS);
  const { boxWeight = 1 } = options;
  checkNumber(op, 'boxWeight', boxWeight);
  const { logits, distances, points, stride } = output;
  const [count, , classes] = logits.shape;
  const most = boxes.shape[1];
  if (
    boxes.rank !== 3 ||
    boxes.shape[0] !== count ||
    boxes.shape[2] !== 4 ||
    String(labels.shape) !== String([count, most])
  )
    throw new ShapeError(
      `${op}: boxes ${formatShape(boxes.shape)} and labels ${formatShape(labels.shape)}: need [${count}, M, 4] and [${count}, M]`,
      [boxes.shape, labels.shape],
    );
  const { isObject, label, wanted } = assigned(points, boxes, labels, stride);
  const positives: Tensor = isObject.to('float32').sum().maximum(1);
  const truth: Tensor = label.oneHot(classes).mul(isObject.to('float32').unsqueeze(2));
  const classLoss: Tensor = focalLoss(logits, truth, { reduction: 'sum' }).div(positives);
  const each = generalisedIou(distances, wanted).neg().add(1);
  const boxLoss: Tensor = where(isObject, each, 0).sum().div(positives);
  return classLoss.add(boxLoss.mul(boxWeight));
}

interface Assigned {
  /** bool [N, A] */
  readonly isObject: Tensor<number[], 'bool'>;
  /** int32 [N, A]; 0 where there is no object. */
  readonly label: Tensor<number[], 'int32'>;
  /** [N, A, 4]; 1 where there is no object. */
  readonly wanted: Tensor;
}

function assigned(points: Tensor, boxes: Tensor, labels: AnyTensor, stride: number): Assigned {
  const [x, y]: Tensor[] = [0, 1].map((i) => points.select(1, i).reshape([1, -1, 1])); // [1, A, 1]
  const [x1, y1, x2, y2]: Tensor[] = [0, 1, 2, 3].map((i) => boxes.select(2, i).unsqueeze(1)); // [N, 1, M]
  const sides: Tensor[] = [x.sub(x1), y.sub(y1), x2.sub(x), y2.sub(y)]; // [N, A, M]
  const nearest = sides.reduce((least, side) => least.minimum(side));
  const off: Tensor = x
    .sub(x1.add(x2).mul(0.5))
    .abs()
    .maximum(y.sub(y1.add(y2).mul(0.5)).abs());
  const isThere = labels.ge(0).unsqueeze(1);
  const isIn = nearest
    .gt(0)
    .logicalAnd(off.lt(CENTRE * stride))
    .logicalAnd(isThere);
  const area: Tensor = x2.sub(x1).mul(y2.sub(y1));
  const ranked: Tensor = where(isIn, area, Infinity);
  const chosen = ranked.argmin(2).unsqueeze(2); // [N, A, 1]
  const isObject = isIn.any(2);
  const all = labels.to('int32').maximum(0).unsqueeze(1).expand(ranked.shape);
  const label = where(isObject, all.gather(2, chosen).squeeze(2), 0);
  const own = stack(
    sides.map((side) => where(isObject, side.gather(2, chosen).squeeze(2), 1)),
    2,
  );
  return { isObject, label, wanted: own };
}

/** Of boxes around one point, by their distances [..., 4] to it, none below 0 → [...]. */
function generalisedIou(a: Tensor, b: Tensor): Tensor {
  const [left, top, right, bottom] = [0, 1, 2, 3];
  const extent = (of: (side: number) => Tensor): Tensor =>
    of(left)
      .add(of(right))
      .mul(of(top).add(of(bottom)));
  const [one, other] = [a, b].map(
    (t) =>
      (side: number): Tensor =>
        t.select(-1, side),
  );
  const inter = extent((side) => one(side).minimum(other(side)));
  const around = extent((side) => one(side).maximum(other(side)));
  const union: Tensor = extent(one).add(extent(other)).sub(inter);
  return inter.div(union).sub(around.sub(union).div(around));
}
