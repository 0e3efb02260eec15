// Faster R-CNN on a ResNet-50 with a feature pyramid (Ren et al. 2015; Lin et al. 2017), in its parts: the pyramid, the head that proposes
// regions, the head that classifies them; `detect` puts them together for images, as torchvision does in evaluation. Keys, numerics and
// initial values are torchvision's fasterrcnn_resnet50_fpn (without its resizing and normalising of images).

import { Conv2d, Module, ReLU, init } from '../../nn/index.js';
import { maxPool2d } from '../../tensor/pooling.js';
import { cat } from '../../tensor/functions.js';
import { noGrad } from '../../tensor/grad-mode.js';
import { interpolate } from '../../tensor/resample.js';
import { type OptionNames, checkNumber, checkOptions, checkWhole } from '../../tensor/library.js';
import { tensor } from '../../tensor/creation.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import { anchors, batchedNms, clipBoxes, decodeBoxes, multiScaleRoiAlign } from '../../vision/index.js';
import { type Block, conv, inOrder, linear } from './blocks.js';
import { type ImageOptions, IMAGE_OPTIONS, checkImages, checkSizes } from './image-model.js';
import { ResNetBody } from './resnet.js';

const FASTER_RCNN_OPTIONS: OptionNames<ImageOptions> = IMAGE_OPTIONS;

/** Sides of the anchors of each map. */
const SIZES = [32, 64, 128, 256, 512];
const RATIOS = [0.5, 1, 2];

/** Maps of a backbone from large to small → as many maps of `width` channels that know what the smaller ones know, and one more. */
export class FeaturePyramid extends Module {
  readonly innerBlocks: readonly Block[];
  readonly layerBlocks: readonly Block[];

  constructor(channels: readonly number[], width: number) {
    super();
    this.innerBlocks = channels.map((from) => inOrder(conv(from, width, 1)));
    this.layerBlocks = channels.map(() => inOrder(conv(width, width, 3, { padding: 1 })));
    this.apply((m) => {
      if (!(m instanceof Conv2d)) return;
      init.kaimingUniform_(m.weight, { slope: 1 });
      if (m.bias !== undefined) init.zeros_(m.bias);
    });
  }

  forward(maps: readonly Tensor[]): Tensor[] {
    const sideways = maps.map((map, i) => this.innerBlocks[i].forward(map));
    for (let i = sideways.length - 2; i >= 0; i--) {
      const [, , height, width] = sideways[i].shape;
      sideways[i] = sideways[i].add(interpolate(sideways[i + 1], { size: [height, width] }));
    }
    const all = sideways.map((map, i) => this.layerBlocks[i].forward(map));
    return [...all, maxPool2d(all[all.length - 1], 1, { stride: 2 })];
  }
}

/** For each anchor of each position of a map: is there an object, and how does its box differ. torchvision: RPNHead. */
export class RegionProposal extends Module {
  readonly conv: Block;
  readonly clsLogits: Block;
  readonly bboxPred: Block;

  constructor(width: number, count: number) {
    super();
    this.conv = inOrder(inOrder(conv(width, width, 3, { padding: 1 }), new ReLU()));
    this.clsLogits = conv(width, count, 1);
    this.bboxPred = conv(width, 4 * count, 1);
    this.apply((m) => {
      if (!(m instanceof Conv2d)) return;
      init.normal_(m.weight, 0, 0.01);
      if (m.bias !== undefined) init.zeros_(m.bias);
    });
  }

  /** maps, each [N, width, H, W] → for each of them objectness [N, count, H, W] and changes [N, 4·count, H, W]. */
  forward(maps: readonly Tensor[]): { objectness: Tensor[]; changes: Tensor[] } {
    const seen = maps.map((map) => this.conv.forward(map));
    return {
      objectness: seen.map((map) => this.clsLogits.forward(map)),
      changes: seen.map((map) => this.bboxPred.forward(map)),
    };
  }
}

/** What is in one image, best first. */
export interface Detections {
  /** Boxes [kept, 4] as x1, y1, x2, y2, in pixels. */
  readonly boxes: number[][];
  readonly scores: number[];
  /** From 1; 0 is the background. */
  readonly labels: number[];
}

export interface DetectOptions {
  /** Boxes with a lower score are dropped. Default 0.05. */
  readonly scoreThreshold?: number;
  /** Of two boxes of a class that overlap by more, the worse one is dropped. Default 0.5. */
  readonly iouThreshold?: number;
  /** At most so many boxes an image. Default 100. */
  readonly detections?: number;
  /** At most so many regions are looked at. Default 1000. */
  readonly proposals?: number;
}

const DETECT_OPTIONS: OptionNames<DetectOptions> = {
  scoreThreshold: true,
  iouThreshold: true,
  detections: true,
  proposals: true,
};

/** (N, A·C, H, W) → (N, H·W·A, C) */
function byAnchor(map: Tensor, size: number): Tensor {
  const [batch, channels, height, width] = map.shape;
  const apart: Tensor = map.reshape([batch, channels / size, size, height, width]);
  return apart.permute([0, 3, 4, 1, 2]).reshape([batch, (height * width * channels) / size, size]);
}

/** Images [N, inChannels, H, W] in; see `forward`, `classify` and `detect`. torchvision: fasterrcnn_resnet50_fpn. */
export class FasterRCNN extends Module {
  readonly backbone: { readonly body: ResNetBody; readonly fpn: FeaturePyramid };
  readonly rpn: { readonly head: RegionProposal };
  private readonly roiHeads;
  readonly classes: number;
  readonly inChannels: number;

  /** `classes`: the background among them, default 91. */
  constructor(options: ImageOptions = {}) {
    checkOptions(new.target.name, options, FASTER_RCNN_OPTIONS);
    super();
    const { classes = 91, inChannels = 3 } = options;
    checkSizes('FasterRCNN', classes, inChannels);
    this.classes = classes;
    this.inChannels = inChannels;
    const body = new ResNetBody([3, 4, 6, 3], { inChannels }, { kind: 'bottleneck' });
    this.backbone = { body, fpn: new FeaturePyramid(body.channels, 256) };
    this.rpn = { head: new RegionProposal(256, RATIOS.length) };
    this.roiHeads = {
      box_head: { fc6: linear(256 * 7 * 7, 1024), fc7: linear(1024, 1024) },
      box_predictor: { cls_score: linear(1024, classes), bbox_pred: linear(1024, 4 * classes) },
    };
  }

  /** The five maps of the pyramid, each [N, 256, …], from a quarter of the size of the images. */
  maps(x: Tensor): Tensor[] {
    checkTensor(x, 'FasterRCNN', 'the input');
    checkImages('FasterRCNN', x, this.inChannels);
    return this.backbone.fpn.forward(this.backbone.body.maps(x));
  }

  /** All anchors of images of this size, [A, 4], in the order of `forward`. */
  anchorsOf(x: Tensor, maps: readonly Tensor[]): Tensor {
    const sizes = maps.map((map): [number, number] => [map.shape[2], map.shape[3]]);
    return anchors([x.shape[2], x.shape[3]], sizes, { sizes: SIZES, aspectRatios: RATIOS });
  }

  /** For all A anchors of the maps: objectness [N, A] (logits), and how the boxes differ from the anchors, [N, A, 4]. */
  forward(x: Tensor): { objectness: Tensor; changes: Tensor } {
    return this.propose(this.maps(x));
  }

  private propose(maps: readonly Tensor[]): { objectness: Tensor; changes: Tensor } {
    const { objectness, changes } = this.rpn.head.forward(maps);
    const flat = (list: readonly Tensor[], size: number): Tensor =>
      cat(
        list.map((map) => byAnchor(map, size)),
        1,
      );
    return { objectness: flat(objectness, 1).squeeze(2), changes: flat(changes, 4) };
  }

  /** What is in the boxes of each image ([L, 4] each): features [K, 1024], class logits [K, classes], changes [K, 4·classes]. */
  classify(maps: readonly Tensor[], boxes: readonly Tensor[], imageSize: readonly [number, number]) {
    const { box_head: head, box_predictor: predictor } = this.roiHeads;
    const pooled = multiScaleRoiAlign(maps.slice(0, 4), boxes, imageSize, 7, { samplingRatio: 2 });
    const hidden: Tensor = head.fc6.forward(pooled.flatten(1)).relu();
    const features: Tensor = head.fc7.forward(hidden).relu();
    const logits: Tensor = predictor.cls_score.forward(features);
    const changes: Tensor = predictor.bbox_pred.forward(features);
    return { pooled, features, logits, changes };
  }

  /** What is in each of the images. Reads numbers, so it is awaited; call `eval()` first. */
  async detect(x: Tensor, options: DetectOptions = {}): Promise<Detections[]> {
    checkTensor(x, 'detect', 'the input');
    checkImages('detect', x, this.inChannels);
    checkOptions('detect', options, DETECT_OPTIONS);
    const { scoreThreshold = 0.05, iouThreshold = 0.5, detections = 100, proposals = 1000 } = options;
    for (const [name, value] of Object.entries({ scoreThreshold, iouThreshold })) checkNumber('detect', name, value);
    for (const [name, value] of Object.entries({ detections, proposals })) checkWhole('detect', name, value, 1);
    const found: Detections[] = [];
    for (let i = 0; i < x.shape[0]; i++) {
      const image: Tensor = x.slice(0, i, i + 1);
      const size: [number, number] = [x.shape[2], x.shape[3]];
      const maps = noGrad(() => this.maps(image));
      const regions = await this.regions(image, maps, proposals);
      const { scores, boxes } = noGrad(() => {
        const { logits, changes } = this.classify(maps, [regions.boxes], size);
        const decoded = decodeBoxes(changes, regions.boxes, { weights: [10, 10, 5, 5] });
        const clipped = clipBoxes(decoded.reshape([-1, 4]), size);
        return { scores: logits.softmax(1), boxes: clipped };
      });
      const [probabilities, corners] = await Promise.all([scores.data(), boxes.data()]);
      const candidates: { box: number[]; score: number; label: number }[] = [];
      for (let k = 0; k < regions.count; k++) {
        for (let label = 1; label < this.classes; label++) {
          const at = k * this.classes + label;
          const box = [...corners.subarray(4 * at, 4 * at + 4)];
          const isSmall = box[2] - box[0] < 0.01 || box[3] - box[1] < 0.01;
          if (probabilities[at] > scoreThreshold && !isSmall) candidates.push({ box, score: probabilities[at], label });
        }
      }
      const best = (await keptOf(candidates, iouThreshold)).slice(0, detections);
      found.push({
        boxes: best.map(({ box }) => box),
        scores: best.map(({ score }) => score),
        labels: best.map(({ label }) => label),
      });
    }
    return found;
  }

  /** The best regions of one image: boxes [most, 4], of which the first `count` are some and the others empty. */
  private async regions(
    image: Tensor,
    maps: readonly Tensor[],
    most: number,
  ): Promise<{ boxes: Tensor; count: number }> {
    const { objectness, boxes } = noGrad(() => {
      const said = this.propose(maps);
      const decoded = decodeBoxes(said.changes.squeeze(0), this.anchorsOf(image, maps));
      return { objectness: said.objectness, boxes: clipBoxes(decoded, [image.shape[2], image.shape[3]]) };
    });
    const [scores, corners] = await Promise.all([objectness.data(), boxes.data()]);
    let start = 0;
    const candidates = maps.flatMap((map, level) => {
      const count = map.shape[2] * map.shape[3] * RATIOS.length;
      const order = Array.from({ length: count }, (_, i) => start + i);
      order.sort((a, b) => scores[b] - scores[a] || a - b);
      start += count;
      return order.slice(0, most).map((at) => {
        return { box: [...corners.subarray(4 * at, 4 * at + 4)], score: scores[at], label: level };
      });
    });
    const large = candidates.filter(({ box }) => box[2] - box[0] >= 1e-3 && box[3] - box[1] >= 1e-3);
    const best = (await keptOf(large, 0.7)).slice(0, most);
    const data = new Float32Array(4 * most);
    best.forEach(({ box }, i) => data.set(box, 4 * i));
    return { boxes: tensor(data, { shape: [most, 4] }), count: best.length };
  }
}

/** Those that no better one of the same label suppresses, best first. */
async function keptOf<B extends { readonly box: number[]; readonly score: number; readonly label: number }>(
  candidates: readonly B[],
  threshold: number,
): Promise<B[]> {
  if (candidates.length === 0) return [];
  const count = candidates.length;
  const boxes = tensor(Float32Array.from(candidates.flatMap(({ box }) => box)), { shape: [count, 4] });
  const scores = tensor(Float32Array.from(candidates, ({ score }) => score));
  const labels = tensor(Int32Array.from(candidates, ({ label }) => label));
  const kept = await (await batchedNms(boxes, scores, labels, threshold)).data();
  return [...kept].map((i) => candidates[i]);
}

/** 41.8 million parameters with 91 classes. torchvision: fasterrcnn_resnet50_fpn. */
export function fasterRcnn(options?: ImageOptions): FasterRCNN {
  return new FasterRCNN(options);
}
