// A network that others have trained, with a new last layer for other classes: an ONNX model cut before its own, or a network by name.

import { existsSync } from 'node:fs';
import { type Tensor, noGrad, vmap, zeros } from '../../index.js';
import { Linear, Module, type Parameter } from '../../nn/index.js';
import { type OnnxModel, loadOnnx } from '../../onnx/index.js';
import { CliError } from '../errors.js';
import { headOf, isOnnx } from '../file-head.js';
import { userFault } from '../inspect/tensors.js';
import { type PictureLayout, layoutOf } from '../run/picture-input.js';
import { classifierNameOf, headKeys, loadBody, makeClassifier, sideOf, type ZooClassifier } from '../networks/zoo.js';

export interface NetworkSettings {
  /** The path of an ONNX model, or the name of a network. */
  readonly model: string;
  /** A file, for a network by name; empty where they are going to be loaded, or are in the model. */
  readonly weights: string;
  /** [height, width]; undefined: as the network has it. */
  readonly size: readonly [number, number] | undefined;
  /** The value of an ONNX graph behind which the head is put; empty: what its last linear layer takes. */
  readonly features: string;
}

export interface TunedNetwork {
  /** Logits of images [N, C, H, W]; in training of some networks a list, the auxiliary ones behind them. */
  readonly model: Module & { forward(x: Tensor): Tensor | readonly Tensor[] };
  readonly head: readonly Parameter[];
  readonly body: readonly Parameter[];
  /** Channels, height, width. */
  readonly shape: readonly [1 | 3, number, number];
}

const SIDE = 224;

export async function makeNetwork(settings: NetworkSettings, classes: number): Promise<TunedNetwork> {
  const { model: source, weights, features } = settings;
  if (!existsSync(source) && !/[./\\]/.test(source)) {
    if (features !== '') throw new CliError(`--features: ${source} is no ONNX model, and its last layer is known.`);
    return zooNetwork(settings, classes);
  }
  if (!isOnnx(headOf(source), source))
    throw new CliError(
      `${source} is no ONNX model. Fine-tuning begins with one, or with a network by name and --weights ${source}.`,
    );
  if (weights !== '') throw new CliError(`--weights: ${source} has its own. It is for a network that is named.`);
  return onnxNetwork(settings, classes);
}

async function zooNetwork({ model: source, weights, size }: NetworkSettings, classes: number): Promise<TunedNetwork> {
  const name = classifierNameOf(source);
  const model: ZooClassifier = makeClassifier(name, classes);
  const keys = new Set(headKeys(name));
  if (weights !== '') await loadBody(model, name, weights, keys);
  const side = sideOf(name);
  const [height, width] = size ?? [side, side];
  const named = model.namedParameters();
  return {
    model,
    head: named.filter(([key]) => keys.has(key)).map(([, parameter]) => parameter),
    body: named.filter(([key]) => !keys.has(key)).map(([, parameter]) => parameter),
    shape: [3, height, width],
  };
}

// ---------------------------------------------------------------- ONNX

async function onnxNetwork({ model: path, size, features }: NetworkSettings, classes: number): Promise<TunedNetwork> {
  const whole = await userFault(() => loadOnnx(path));
  if (whole.inputs.length !== 1)
    throw new CliError(
      `${path} takes ${whole.inputs.map(({ name }) => name).join(', ')}; fine-tuning needs a model of one picture.`,
    );
  const [input] = whole.inputs;
  const layout = layoutOf(input, path);
  if (layout.isBytes) throw new CliError(`${path} takes pictures as bytes, through which nothing is learned.`);
  const shape = sizeFor(path, layout, size);
  const body = await userFault(() => (features === '' ? whole.body() : whole.until(features)));
  const batch = input.shape?.[0];
  if (layout.isBatch && typeof batch === 'number' && batch !== 1)
    throw new CliError(
      `${path} takes batches of ${batch} pictures, and fine-tuning any number. Export it with a dynamic batch.`,
    );
  const isSingle = !layout.isBatch || batch === 1;
  const trial = new OnnxBody(body, layout, isSingle);
  const given = await userFault(() => noGrad(() => trial.forward(zeros([2, ...shape]))));
  if (given.rank !== 2)
    throw new CliError(
      `${path}: what the new layer would get is [${given.shape.join(', ')}], and not [batch, features]. Say where to cut: --features NAME (nabla inspect lists operators).`,
    );
  const head = new Linear<number, number>(given.shape[1], classes);
  return { model: new OnnxClassifier(trial, head), head: head.parameters(), body: body.parameters(), shape };
}

function sizeFor(
  path: string,
  { shape: [channels, height, width] }: PictureLayout,
  size: readonly [number, number] | undefined,
): readonly [1 | 3, number, number] {
  if (size !== undefined && ((height ?? size[0]) !== size[0] || (width ?? size[1]) !== size[1]))
    throw new CliError(`--size ${size.join('x')}: ${path} takes pictures of ${height ?? '?'}x${width ?? '?'}.`);
  const [ownHeight, ownWidth] = size ?? [height ?? SIDE, width ?? SIDE];
  return [channels, ownHeight, ownWidth];
}

/** Images [N, C, H, W] → features [N, F], whatever layout and batch the graph wants. */
class OnnxBody extends Module {
  readonly graph: OnnxModel;
  readonly #layout: PictureLayout;
  readonly #isSingle: boolean;

  constructor(graph: OnnxModel, layout: PictureLayout, isSingle: boolean) {
    super();
    this.graph = graph;
    this.#layout = layout;
    this.#isSingle = isSingle;
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return this.graph.fields();
  }

  forward(x: Tensor): Tensor {
    const { isLast, isBatch } = this.#layout;
    const images: Tensor = isLast ? x.permute([0, 2, 3, 1]) : x;
    if (!this.#isSingle) return pooled(this.graph.forward(images), isLast);
    // A graph of one picture: the same program for all of them.
    const one = (image: Tensor): Tensor => {
      const features: Tensor = pooled(this.graph.forward(isBatch ? image.unsqueeze(0) : image), isLast);
      return features.reshape([features.size]);
    };
    return vmap(one)(images);
  }
}

/** The mean over positions, where there still are any. */
function pooled(features: Tensor, isLast: boolean): Tensor {
  if (features.rank !== 4) return features;
  return features.mean(isLast && features.shape[1] === features.shape[2] ? [1, 2] : [2, 3]);
}

class OnnxClassifier extends Module {
  readonly body: OnnxBody;
  readonly head: Linear<number, number>;

  constructor(body: OnnxBody, head: Linear<number, number>) {
    super();
    this.body = body;
    this.head = head;
  }

  forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x));
  }
}
