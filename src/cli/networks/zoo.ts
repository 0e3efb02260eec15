// Networks of nabla/models by name, with weights from a file. How many classes there are is what the file says.

import { loadWeights } from '../../io/index.js';
import { statesOf } from '../../io/weights/find-state.js';
import * as models from '../../models/index.js';
import type { Module } from '../../nn/index.js';
import type { Tensor } from '../../index.js';
import { sameShape } from '../../tensor/library.js';
import { CliError } from '../errors.js';
import { headOf } from '../file-head.js';
import { openForCommand, userFault } from '../inspect/tensors.js';
import type { Network, NetworkOptions } from './network.js';
import { type PictureOptions, pictureInput } from './pictures.js';
import { type ClassifierName, type SegmenterName, type ZooName, isClassifierName, zooNameOf } from './zoo-names.js';

interface Options {
  readonly classes?: number;
  readonly inChannels?: number;
}

/** A network for images. */
export interface ZooClassifier extends Module {
  readonly inChannels: number;
  /** Logits, or in training a list of them where there are auxiliary classifiers. */
  forward(x: Tensor): Tensor | readonly Tensor[];
}

const CLASSIFIERS: Readonly<Record<ClassifierName, (options: Options) => ZooClassifier>> = {
  alexnet: models.alexnet,
  alexnet2012: models.alexnet2012,
  convnextTiny: models.convnextTiny,
  convnextSmall: models.convnextSmall,
  convnextBase: models.convnextBase,
  densenet121: models.densenet121,
  densenet161: models.densenet161,
  densenet169: models.densenet169,
  densenet201: models.densenet201,
  efficientnetB0: models.efficientnetB0,
  efficientnetB1: models.efficientnetB1,
  efficientnetB2: models.efficientnetB2,
  efficientnetB3: models.efficientnetB3,
  efficientnetB4: models.efficientnetB4,
  efficientnetB5: models.efficientnetB5,
  efficientnetB6: models.efficientnetB6,
  efficientnetB7: models.efficientnetB7,
  googlenet: models.googlenet,
  inceptionV3: models.inceptionV3,
  mobilenetV2: models.mobilenetV2,
  mobilenetV3Large: models.mobilenetV3Large,
  mobilenetV3Small: models.mobilenetV3Small,
  resnet18: models.resnet18,
  resnet34: models.resnet34,
  resnet50: models.resnet50,
  resnet101: models.resnet101,
  resnet152: models.resnet152,
  resnext50: models.resnext50,
  shufflenetV2: models.shufflenetV2,
  shufflenetV2Half: models.shufflenetV2Half,
  squeezenet10: models.squeezenet10,
  squeezenet11: models.squeezenet11,
  swinB: models.swinB,
  swinS: models.swinS,
  swinT: models.swinT,
  vgg11: models.vgg11,
  vgg13: models.vgg13,
  vgg16: models.vgg16,
  vgg16c: models.vgg16c,
  vgg19: models.vgg19,
  vitB16: models.vitB16,
  vitB32: models.vitB32,
  vitL16: models.vitL16,
  wideResnet50: models.wideResnet50,
  xception: models.xception,
};

type Segmenter = Module & { forward(x: Tensor): unknown };

const SEGMENTERS: Readonly<Record<SegmenterName, (options: Options) => Segmenter>> = {
  deeplabV3: models.deeplabV3,
  fcn: models.fcn,
  lraspp: models.lraspp,
  segnet: models.segnet,
  unet: models.unet,
};

/** Sides of the images that networks were made for, where it is not 224. */
const SIDES: Readonly<Partial<Record<ZooName, number>>> = {
  alexnet2012: 227,
  inceptionV3: 299,
  xception: 299,
  efficientnetB1: 240,
  efficientnetB2: 260,
  efficientnetB3: 300,
  efficientnetB4: 380,
  efficientnetB5: 456,
  efficientnetB6: 528,
  efficientnetB7: 600,
};

export const sideOf = (name: ZooName): number => SIDES[name] ?? 224;

/** Throws CliError for a name that is none of a network for classifying images. */
export function classifierNameOf(source: string): ClassifierName {
  const name = zooNameOf(source);
  if (name !== undefined && isClassifierName(name)) return name;
  throw new CliError(`${source} is no network for classifying images, which has a last layer to replace.`);
}

/** With initial weights. */
export const makeClassifier = (name: ClassifierName, classes: number): ZooClassifier => CLASSIFIERS[name]({ classes });

/** Fills all but the head, whose keys are given, from a file. */
export async function loadBody(
  model: Module,
  name: ClassifierName,
  weights: string,
  head: ReadonlySet<string>,
): Promise<void> {
  const rename = renamed(name);
  const map = (key: string): string | undefined => (head.has(rename(key)) ? undefined : rename(key));
  const { missing, unexpected } = await userFault(() => loadWeights(model, weights, { map, strict: false }));
  const lacking = missing.filter((key) => !head.has(key) && !key.endsWith('num_batches_tracked'));
  if (lacking.length === 0 && unexpected.length === 0) return;
  const some = (keys: readonly string[]): string => `${keys.slice(0, 4).join(', ')}${keys.length > 4 ? ', …' : ''}`;
  const what = lacking.length > 0 ? `has no ${some(lacking)}` : `has ${some(unexpected)}, which it has not`;
  throw new CliError(`${weights} does not fit ${name}: it ${what}.`);
}

/** The network with the weights of a file, and with as many classes as these have. */
export async function openZoo(
  source: string,
  { weights, size, ...options }: NetworkOptions & PictureOptions,
): Promise<Network> {
  const name = zooNameOf(source);
  if (name === undefined) throw new CliError(`there is no model '${source}'.`);
  if (weights === undefined)
    throw new CliError(`${name} is a network without weights. Say which file has them: --weights ${name}.safetensors.`);
  const model = isClassifierName(name) ? await loadedClassifier(name, weights) : await loadedSegmenter(name, weights);
  const [height, width] = size ?? [sideOf(name), sideOf(name)];
  const channels = model.parameters().find(({ rank }) => rank === 4)?.shape[1] ?? 3; // of the first convolution
  return {
    what: `${name}, weights from ${weights}`,
    module: model.eval(),
    inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', channels, height, width] }],
    picture: pictureInput([channels, height, width], options),
  };
}

async function loadedSegmenter(name: SegmenterName, weights: string): Promise<Segmenter> {
  return filled(SEGMENTERS[name]({}), name, weights);
}

export async function loadedClassifier(name: ClassifierName, weights: string): Promise<ZooClassifier> {
  const keys = headKeys(name);
  const shapes = await shapesIn(weights);
  const isHead = (key: string): boolean =>
    key.endsWith('.weight') && keys.some((own) => key === own || key.endsWith(`.${own}`));
  const classes = [...shapes].find(([key]) => isHead(renamed(name)(key)))?.[1][0];
  return filled(CLASSIFIERS[name](classes === undefined ? {} : { classes }), name, weights);
}

/** Keys of the last layers: those whose shapes depend on the number of classes. */
export function headKeys(name: ClassifierName): string[] {
  const [two, three] = [2, 3].map((classes) => makeClassifier(name, classes).stateDict());
  return Object.keys(two).filter((key) => !sameShape(two[key].shape, three[key].shape));
}

/** Of all tensors of a file, by their whole keys. */
async function shapesIn(weights: string): Promise<ReadonlyMap<string, readonly number[]>> {
  headOf(weights); // a file that is not there is told like any other
  const { torch, tensors } = await openForCommand(weights);
  const found = torch === undefined ? tensors : new Map(statesOf(torch).flatMap((state) => [...state.tensors]));
  return new Map([...found].map(([key, { shape }]) => [key, shape]));
}

/** timm's keys of EfficientNet are taken as well. */
const renamed = (name: ZooName): ((key: string) => string) =>
  name.startsWith('efficientnet') ? models.efficientNetKey : (key) => key;

async function filled<M extends Module>(model: M, name: ZooName, weights: string): Promise<M> {
  await userFault(() => loadWeights(model, weights, { map: renamed(name) }));
  return model;
}
