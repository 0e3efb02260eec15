// Names of the classes of well-known data sets, in the order of the outputs of networks that were trained on them. Each list is a module of
// its own that is loaded when it is asked for.

import { checkChoice } from '../tensor/library.js';

const LISTS = {
  imagenet: () => import('./names/imagenet.js'),
  coco: () => import('./names/coco.js'),
  'coco-80': () => import('./names/coco.js'),
  voc: () => import('./names/voc.js'),
} as const;

/** A data set whose classes have names here. */
export type ClassSet = keyof typeof LISTS;

/**
 * The names of a data set's classes, by their numbers: 'imagenet' (1000), 'coco' (the 91 of torchvision's detectors, with the background and
 * those that are not used), 'coco-80' (those that are used, without the background: YOLO), 'voc' (21, with the background). torchvision:
 * weights.meta['categories'].
 *
 *     (await classNames('imagenet'))[698] // 'palace'
 */
export async function classNames(set: ClassSet): Promise<readonly string[]> {
  checkChoice('classNames', 'the data set', set, Object.keys(LISTS));
  const { names } = await LISTS[set]();
  const all = names.split('|');
  return set === 'coco-80' ? all.filter((name) => name !== '__background__' && name !== 'N/A') : all;
}
