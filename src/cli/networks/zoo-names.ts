// Names of the networks of nabla/models that commands know: nabla's own, and torchvision's. Names alone, so that help and faults come at once.

/** For classifying images. */
export const CLASSIFIERS = [
  'alexnet',
  'alexnet2012',
  'convnextTiny',
  'convnextSmall',
  'convnextBase',
  'densenet121',
  'densenet161',
  'densenet169',
  'densenet201',
  'efficientnetB0',
  'efficientnetB1',
  'efficientnetB2',
  'efficientnetB3',
  'efficientnetB4',
  'efficientnetB5',
  'efficientnetB6',
  'efficientnetB7',
  'googlenet',
  'inceptionV3',
  'mobilenetV2',
  'mobilenetV3Large',
  'mobilenetV3Small',
  'resnet18',
  'resnet34',
  'resnet50',
  'resnet101',
  'resnet152',
  'resnext50',
  'shufflenetV2',
  'shufflenetV2Half',
  'squeezenet10',
  'squeezenet11',
  'swinB',
  'swinS',
  'swinT',
  'vgg11',
  'vgg13',
  'vgg16',
  'vgg16c',
  'vgg19',
  'vitB16',
  'vitB32',
  'vitL16',
  'wideResnet50',
  'xception',
] as const;

/** For segmenting them. */
export const SEGMENTERS = ['deeplabV3', 'fcn', 'lraspp', 'segnet', 'unet'] as const;

export type ClassifierName = (typeof CLASSIFIERS)[number];
export type SegmenterName = (typeof SEGMENTERS)[number];
export type ZooName = ClassifierName | SegmenterName;

export const ZOO_NAMES: readonly ZooName[] = [...CLASSIFIERS, ...SEGMENTERS];

/** torchvision's names that are not the same but for case and underscores. */
const OTHERS: Readonly<Record<string, ZooName>> = {
  resnext5032x4d: 'resnext50',
  wideresnet502: 'wideResnet50',
  shufflenetv2x05: 'shufflenetV2Half',
  shufflenetv2x10: 'shufflenetV2',
  fcnresnet50: 'fcn',
  deeplabv3resnet50: 'deeplabV3',
  lrasppmobilenetv3large: 'lraspp',
};

/** The network that a name means, in whatever case and with or without underscores; undefined for none. */
export function zooNameOf(name: string): ZooName | undefined {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[_-]/g, '');
  const wanted = plain(name);
  return (
    ZOO_NAMES.find((known) => plain(known) === wanted) ?? (Object.hasOwn(OTHERS, wanted) ? OTHERS[wanted] : undefined)
  );
}

export const isClassifierName = (name: ZooName): name is ClassifierName =>
  (CLASSIFIERS as readonly ZooName[]).includes(name);
