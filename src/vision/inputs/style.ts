// A picture in the manner of another one (Gatys et al. 2016): what is in a picture are the maps of a late layer of a network, its style is which maps of
// several layers are large together, wherever that is: their Gram matrices. The picture is the parameter.

import { Adam } from '../../optim/adam.js';
import { type Module, Parameter } from '../../nn/index.js';
import {
  ArgumentError,
  ShapeError,
  checkFunction,
  checkGiven,
  checkHas,
  checkList,
  checkNeededOptions,
  checkNumber,
  checkWhole,
  formatShape,
  type OptionNames,
} from '../../tensor/library.js';
import { withoutGrad } from '../../tensor/grad-mode.js';
import { type AnyTensor, Tensor, checkTensor, realize } from '../../tensor/tensor.js';
import { realOf } from '../check.js';
import { type Pictures, checkedPictures, gradientBy } from './classify.js';
import { roughness } from './roughness.js';

/**
 * How much maps are large together, whatever their places: maps [N, K, h, w] → [N, K, K], sums of products over the places divided by K · h · w.
 */
export function gramMatrix(maps: Tensor): Tensor<[number, number, number]> {
  checkTensor(maps, 'gramMatrix', 'the maps');
  if (maps.rank !== 4)
    throw new ShapeError(`gramMatrix: maps ${formatShape(maps.shape)}: need [N, K, h, w]`, [maps.shape]);
  const [count, channels, height, width] = maps.shape;
  const flat: Tensor = realOf('gramMatrix', maps, 'the maps').reshape([count, channels, height * width]);
  const products: Tensor = flat.matmul(flat.transpose(1, 2)).div(channels * height * width);
  return products as Tensor<[number, number, number]>;
}

export interface StyleOptions {
  /** Layers whose maps the new picture shares with the first: late ones keep things, early ones pixels. */
  readonly content: readonly Module[];
  /** Layers whose Gram matrices it shares with the second: early ones have strokes, late ones patterns. */
  readonly style: readonly Module[];
  /** Default 200. */
  readonly steps?: number;
  /** Rate of Adam, for pixels from 0 to 1. Default 0.02. */
  readonly lr?: number;
  /** Weight of the style beside the content. Default 10. */
  readonly styleWeight?: number;
  /** Weight of the differences between neighbouring pixels, their mean square. Default 2. */
  readonly smoothness?: number;
}

const STYLE_OPTIONS: OptionNames<StyleOptions> = {
  content: true,
  style: true,
  steps: true,
  lr: true,
  styleWeight: true,
  smoothness: true,
};

/** Distance of tensors in shares of the second one's size. */
function relative(found: Tensor, wanted: Tensor): Tensor {
  return found.sub(wanted).square().sum().div(wanted.square().sum().add(1e-12));
}

/**
 * What is in `picture` in the manner of `manner`: both [N, C, H, W] (or `manner` with one picture, of any size), pixels from 0 to 1 → pictures like
 * the first, computed. `run` is the network as a function from pictures to anything, its normalisation included; it has to call each layer once. Each
 * part of the loss is a share of what it is measured by, so that weights mean the same for any network.
 *
 *     const { layers } = model.features;
 *     await transferStyle((x) => model.forward(x.sub(mean).div(std)), photo, painting, { content: [layers[7]], style: layers.slice(0, 11) });
 */
export async function transferStyle(
  run: (x: Pictures) => unknown,
  picture: Pictures,
  manner: Pictures,
  options: StyleOptions,
): Promise<Pictures> {
  const op = 'transferStyle';
  checkFunction(op, run);
  const [from, like] = [checkedPictures(op, picture), checkedPictures(op, manner)];
  checkNeededOptions(op, options, STYLE_OPTIONS, '{ content: [model.layer3], style: [model.layer1, model.layer2] }');
  const { content, style, steps = 200, lr = 0.02, styleWeight = 10, smoothness = 2 } = options;
  checkLayers(op, 'content', content);
  checkLayers(op, 'style', style);
  checkWhole(op, 'steps', steps, 1);
  checkGiven(checkNumber, op, { lr, styleWeight, smoothness });
  if (!(lr > 0)) throw new ArgumentError(`${op}: lr is ${lr}. Use a number above 0.`);
  if (like.shape[0] !== 1 && like.shape[0] !== from.shape[0])
    throw new ShapeError(
      `${op}: ${formatShape(like.shape)} for ${formatShape(from.shape)}: give one picture, or as many`,
      [like.shape, from.shape],
    );
  const maps = (layers: readonly Module[], x: Pictures): Tensor[] => mapsOf(op, run, layers, x);
  const wantedThings = withoutGrad(() => maps(content, from)).map((t): Tensor => t.detach());
  const wantedStrokes = withoutGrad(() => maps(style, like)).map((t): Tensor => gramMatrix(t).detach());
  await realize(...wantedThings, ...wantedStrokes);
  const x: Parameter = new Parameter(from);
  const optimizer = new Adam([x], { lr });
  const pixels = x.size;
  const off = (some: readonly Tensor[], wanted: readonly Tensor[]): Tensor =>
    some
      .map((t, i) => relative(t, wanted[i]))
      .reduce((sum, part) => sum.add(part))
      .div(some.length);
  const loss = (at: Tensor): Tensor => {
    const seen = maps([...content, ...style], at as Pictures);
    const things = off(seen.slice(0, content.length), wantedThings);
    const strokes = off(
      seen.slice(content.length).map((t): Tensor => gramMatrix(t)),
      wantedStrokes,
    );
    return things.add(strokes.mul(styleWeight)).add(roughness(at).mul(smoothness / pixels));
  };
  for (let step = 0; step < steps; step++) {
    x.grad = gradientBy(x, loss); // by the picture alone: the network's parameters are left as they are
    await optimizer.step();
    withoutGrad(() => x.assign_(x.clamp(0, 1)));
  }
  await realize(x);
  return x.detach() as Pictures;
}

function checkLayers(op: string, what: string, layers: readonly Module[]): void {
  checkList(op, what, layers, 'modules of the network');
  if (layers.length === 0) throw new ArgumentError(`${op}: ${what} has no layer. Give at least one.`);
  for (const [i, layer] of layers.entries())
    checkHas(op, `layer ${i} of ${what}`, layer, ['registerForwardHook', 'forward'], 'Give a module of the network');
}

/** What each layer gives in one run. */
function mapsOf(op: string, run: (x: Pictures) => unknown, layers: readonly Module[], x: Pictures): Tensor[] {
  const found: AnyTensor[][] = layers.map(() => []);
  const handles = layers.map((layer, i) =>
    layer.registerForwardHook((_, __, output) => {
      if (output instanceof Tensor) found[i].push(output);
    }),
  );
  try {
    run(x);
  } finally {
    for (const handle of handles) handle.remove();
  }
  return found.map((outputs, i) => {
    if (outputs.length !== 1)
      throw new ArgumentError(
        `${op}: layer ${i} gave ${outputs.length} tensors. Give layers that the function calls once and that give maps.`,
      );
    const [maps] = outputs;
    if (maps.rank !== 4)
      throw new ShapeError(`${op}: layer ${i} gave ${formatShape(maps.shape)}: needs maps [N, K, h, w]`, [maps.shape]);
    return realOf(op, maps, 'the maps');
  });
}
