// What a preprocessing is made of, checked, with everything that was left out filled in.

import { INTERPOLATIONS, type Interpolation } from '../../data/transforms/functional/resize.js';
import {
  ArgumentError,
  type OptionNames,
  checkChoice,
  checkNumber,
  checkNumbers,
  checkOptions,
  checkWhole,
  shown,
} from '../../tensor/library.js';

export interface PreprocessingOptions {
  /** The length of the shorter side, or [height, width], which does not keep the shape. Default: as the picture is. */
  readonly resize?: number | readonly [height: number, width: number];
  /** The most that the longer side may be, where `resize` is the shorter one. */
  readonly maxSize?: number;
  /**
   * The whole picture in a frame of this size, as large as fits without changing its shape: what detectors are given. One number for both
   * sides, or [height, width]. In place of `resize` and `crop`.
   */
  readonly letterbox?: number | readonly [height: number, width: number];
  /** What is in the frame around the picture, from 0 to 255: grey, or red, green and blue. Default 114, as YOLOs have it. */
  readonly letterboxFill?: number | readonly [red: number, green: number, blue: number];
  /** Where in the frame the picture is. Default 'middle'; YOLOX has it in the upper left 'corner'. */
  readonly letterboxPlace?: 'middle' | 'corner';
  /** The middle of the resized picture: one number for both sides, or [height, width]. What is missing is black. Default: all of it. */
  readonly crop?: number | readonly [height: number, width: number];
  /** Where the middle begins if it is not a whole number: 'even', as torchvision rounds, or 'down', as transformers. Default 'even'. */
  readonly cropRounding?: 'even' | 'down';
  /** Default 'bilinear'. */
  readonly interpolation?: Interpolation;
  /** Average where the picture gets smaller, as Pillow does. Default true. */
  readonly antialias?: boolean;
  /** What bytes are multiplied by. Default 1/255. */
  readonly rescale?: number;
  /** Subtracted after rescaling: one number for each channel, or one for all. Default 0. */
  readonly mean?: number | readonly number[];
  /** Divided by after that. Default 1. */
  readonly std?: number | readonly number[];
  /** 3: red, green, blue, from grey pictures as well; 1: grey. Default 3. */
  readonly channels?: 1 | 3;
  /** The order of the channels in the result. Default 'rgb'. */
  readonly order?: 'rgb' | 'bgr';
  /** What lies behind pictures that are transparent, red, green and blue from 0 to 255. Default white. */
  readonly background?: readonly [red: number, green: number, blue: number];
  /** How tensors and arrays are laid out. Default: by where the 1, 3 or 4 channels are. */
  readonly layout?: 'auto' | 'chw' | 'hwc';
}

export const PREPROCESSING_OPTIONS: OptionNames<PreprocessingOptions> = {
  resize: true,
  maxSize: true,
  letterbox: true,
  letterboxFill: true,
  letterboxPlace: true,
  crop: true,
  cropRounding: true,
  interpolation: true,
  antialias: true,
  rescale: true,
  mean: true,
  std: true,
  channels: true,
  order: true,
  background: true,
  layout: true,
};

/** The same with nothing left out; `mean` and `std` have a number for each channel of the result. */
export interface Preprocessing {
  readonly resize: number | readonly [height: number, width: number] | undefined;
  readonly maxSize: number | undefined;
  readonly letterbox: readonly [height: number, width: number] | undefined;
  readonly letterboxFill: readonly number[];
  readonly letterboxPlace: 'middle' | 'corner';
  readonly crop: readonly [height: number, width: number] | undefined;
  readonly cropRounding: 'even' | 'down';
  readonly interpolation: Interpolation;
  readonly antialias: boolean;
  readonly rescale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly channels: 1 | 3;
  readonly order: 'rgb' | 'bgr';
  readonly background: readonly [red: number, green: number, blue: number];
  readonly layout: 'auto' | 'chw' | 'hwc';
}

export function checkedPreprocessing(call: string, options: PreprocessingOptions): Preprocessing {
  checkOptions(call, options, PREPROCESSING_OPTIONS);
  const { resize, maxSize, crop, rescale = 1 / 255, mean = 0, std = 1, antialias = true } = options;
  const { background = [255, 255, 255], letterbox, letterboxFill = 114, letterboxPlace = 'middle' } = options;
  const { cropRounding = 'even', interpolation = 'bilinear', channels = 3, order = 'rgb', layout = 'auto' } = options;
  checkChoice(call, 'cropRounding', cropRounding, ['even', 'down']);
  checkChoice(call, 'interpolation', interpolation, INTERPOLATIONS);
  checkChoice(call, 'channels', channels, [1, 3]);
  checkChoice(call, 'order', order, ['rgb', 'bgr']);
  checkChoice(call, 'layout', layout, ['auto', 'chw', 'hwc']);
  checkChoice(call, 'letterboxPlace', letterboxPlace, ['middle', 'corner']);
  checkNumber(call, 'rescale', rescale);
  if (letterbox !== undefined && (resize !== undefined || crop !== undefined))
    throw new ArgumentError(
      `${call}: letterbox is ${listed(letterbox)}, and ${resize === undefined ? `crop ${listed(crop)}` : `resize ${listed(resize)}`}. A letterbox says the whole size: leave out the other, or make it undefined.`,
    );
  if (maxSize !== undefined) {
    checkWhole(call, 'maxSize', maxSize, 1);
    if (typeof resize !== 'number' || resize >= maxSize)
      throw new ArgumentError(
        `${call}: maxSize is ${maxSize} and resize ${listed(resize)}. Give the shorter side as resize, less than maxSize.`,
      );
  }
  const deviations = perChannel(call, 'std', std, channels);
  if (deviations.some((value) => !(value > 0)))
    throw new ArgumentError(`${call}: std is [${deviations.join(', ')}]. Use numbers above 0.`);
  return {
    resize: typeof resize === 'number' ? checkedSide(call, 'resize', resize) : sizeOf(call, 'resize', resize),
    maxSize,
    letterbox: sizeOf(call, 'letterbox', letterbox),
    letterboxFill: fillOf(call, letterboxFill, channels),
    letterboxPlace,
    crop: sizeOf(call, 'crop', crop),
    cropRounding,
    interpolation,
    antialias,
    rescale,
    mean: perChannel(call, 'mean', mean, channels),
    std: deviations,
    channels,
    order,
    background: backgroundOf(call, background),
    layout,
  };
}

function listed(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : shown(value);
}

function checkedSide(call: string, what: string, side: number): number {
  checkWhole(call, what, side, 1);
  return side;
}

function sizeOf(call: string, what: string, size: number | readonly number[] | undefined) {
  if (size === undefined) return undefined;
  const pair = typeof size === 'number' ? [size, size] : size;
  if (!Array.isArray(pair) || pair.length !== 2)
    throw new ArgumentError(`${call}: ${what} is ${listed(size)}. Use one number, or [height, width].`);
  const [height, width]: number[] = pair;
  return [checkedSide(call, what, height), checkedSide(call, what, width)] as const;
}

function perChannel(
  call: string,
  what: string,
  values: number | readonly number[],
  channels: number,
): readonly number[] {
  if (typeof values === 'number') checkNumber(call, what, values);
  else checkNumbers(call, what, values);
  const list = typeof values === 'number' ? new Array<number>(channels).fill(values) : [...values];
  if (list.length !== channels)
    throw new ArgumentError(`${call}: ${what} has ${list.length} numbers for ${channels} channels. Give one for each.`);
  for (const value of list) checkNumber(call, `a number of ${what}`, value);
  return list;
}

function fillOf(call: string, fill: number | readonly number[], channels: number): readonly number[] {
  const levels = perChannel(call, 'letterboxFill', fill, channels);
  if (levels.every((level) => level >= 0 && level <= 255)) return levels;
  throw new ArgumentError(`${call}: letterboxFill is ${listed(fill)}. Use numbers from 0 to 255.`);
}

function backgroundOf(call: string, colour: readonly number[]): readonly [number, number, number] {
  checkNumbers(call, 'background', colour);
  const [red, green, blue] = colour;
  if (colour.length !== 3 || !colour.every((level) => level >= 0 && level <= 255))
    throw new ArgumentError(`${call}: background is ${listed(colour)}. Use red, green and blue from 0 to 255.`);
  return [red, green, blue];
}
