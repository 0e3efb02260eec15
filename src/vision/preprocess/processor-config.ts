// transformers' preprocessor_config.json as options of a preprocessing. Each class of image processors has its own defaults, which files of
// older versions leave out; what a class does besides resizing, cropping, rescaling and normalising is refused, or worked into these.

import { INTERPOLATIONS, type Interpolation } from '../../data/transforms/functional/resize.js';
import { isAddress } from '../../io/fetch.js';
import { inFolder, isRecord, readJson } from '../../io/json-file.js';
import type { FileOptions } from '../../io/source.js';
import { ArgumentError, FormatError, type OptionNames, checkOptions, shown, wrongKind } from '../../tensor/library.js';
import { type PreprocessingOptions, checkedPreprocessing } from './options.js';
import { type ImagePreprocessing, preprocessingOf } from './preprocessing.js';

type Entries = Readonly<Record<string, unknown>>;

const DEFAULT = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };
const STANDARD = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
const CLIP = { image_mean: [0.48145466, 0.4578275, 0.40821073], image_std: [0.26862954, 0.26130258, 0.27577711] };
const BILINEAR = { resample: 2 };
const BICUBIC = { resample: 3 };

const square = (side: number): Entries => ({ size: { height: side, width: side }, default_to_square: true });
const shortest = (side: number): Entries => ({ size: { shortest_edge: side }, default_to_square: false });
const cropped = (side: number): Entries => ({ do_center_crop: true, crop_size: { height: side, width: side } });

const CLIP_LIKE = { ...shortest(224), ...cropped(224), ...BICUBIC, ...CLIP };

/** Defaults of transformers' classes, by their names without what all end with. */
const CLASSES: Readonly<Record<string, Entries>> = {
  Beit: { ...square(224), ...BICUBIC, ...STANDARD, crop_size: { height: 224, width: 224 } },
  Bit: CLIP_LIKE,
  Blip: { ...square(384), ...BICUBIC, ...CLIP },
  CLIP: CLIP_LIKE,
  ChineseCLIP: CLIP_LIKE,
  ConvNext: { ...shortest(384), ...BICUBIC, ...STANDARD, crop_pct: 224 / 256 },
  DeiT: { ...square(256), ...cropped(224), ...BICUBIC, ...STANDARD },
  EfficientNet: { ...square(346), ...BICUBIC, ...STANDARD, crop_size: { height: 289, width: 289 }, include_top: true },
  Levit: { ...shortest(224), ...cropped(224), ...BICUBIC, ...DEFAULT },
  MobileNetV1: { ...shortest(256), ...cropped(224), ...BILINEAR, ...STANDARD },
  MobileNetV2: { ...shortest(256), ...cropped(224), ...BILINEAR, ...STANDARD },
  MobileViT: { ...shortest(224), ...cropped(256), ...BICUBIC, do_normalize: false, do_flip_channel_order: true },
  Pvt: { ...square(224), ...BICUBIC, ...DEFAULT },
  PoolFormer: { ...shortest(224), ...cropped(224), ...BICUBIC, ...DEFAULT, crop_pct: 0.9 },
  Segformer: { ...square(512), ...BILINEAR, ...DEFAULT },
  Siglip: { ...square(224), ...BICUBIC, ...STANDARD },
  ViT: { ...square(224), ...BILINEAR, ...STANDARD },
};

const PILLOW: readonly Interpolation[] = ['nearest-exact', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'];

/** The options that a preprocessor_config.json stands for. */
class ProcessorConfig {
  private readonly call: string;
  private readonly name: string;
  private readonly values: Entries;

  constructor(call: string, name: string, given: Entries) {
    this.call = call;
    this.name = name;
    // null stands for the default
    const said = Object.entries(given).filter(([, value]) => value !== null);
    this.values = { ...this.defaults(given), ...Object.fromEntries(said) };
  }

  options(): PreprocessingOptions {
    for (const key of ['do_pad', 'pad_size', 'do_thumbnail', 'do_align_long_axis', 'do_rescale_and_pad'])
      if (this.isSet(key)) throw this.refused(key);
    const rescale = this.is('do_rescale', true) ? this.number('rescale_factor', 1 / 255) : 1;
    const offset = this.is('rescale_offset', false) ? 1 : 0;
    const mean = this.is('do_normalize', true) ? this.numbers('image_mean') : [0, 0, 0];
    const std = this.is('do_normalize', true) ? this.numbers('image_std') : [1, 1, 1];
    // EfficientNet's divides by the deviation twice
    const again = this.is('include_top', false) ? this.numbers('image_std') : [1, 1, 1];
    return {
      ...this.sizes(),
      interpolation: this.interpolation(),
      cropRounding: 'down',
      rescale,
      mean: mean.map((m) => m + offset),
      std: std.map((s, c) => s * again[c]),
      order: this.is('do_flip_channel_order', false) ? 'bgr' : 'rgb',
    };
  }

  private defaults(given: Entries): Entries {
    const type = given['image_processor_type'] ?? given['feature_extractor_type'];
    if (typeof type !== 'string')
      throw new FormatError(
        `${this.call}: ${this.name} names no image_processor_type. It is no preprocessor_config.json of images.`,
        this.name,
      );
    const kind = type.replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, '');
    if (Object.hasOwn(CLASSES, kind)) return CLASSES[kind];
    throw new ArgumentError(
      `${this.call}: ${this.name} is for ${type}, which is not known here. Known are those of ${Object.keys(CLASSES).join(', ')}; write others with imagePreprocessing({ resize, crop, mean, std }).`,
    );
  }

  /** `resize` and `crop`. */
  private sizes(): PreprocessingOptions {
    const crop = this.is('do_center_crop', false) ? this.pair('crop_size') : undefined;
    if (!this.is('do_resize', true)) return crop === undefined ? {} : { crop };
    const size = this.values['size'];
    const isShort = isRecord(size) ? 'shortest_edge' in size : this.values['default_to_square'] === false;
    if (!isShort) return { resize: this.pair('size'), ...(crop !== undefined && { crop }) };
    const edge = isRecord(size) ? size['shortest_edge'] : size;
    if (typeof edge !== 'number') throw this.wrong('size');
    const longest = isRecord(size) ? size['longest_edge'] : undefined;
    if (longest !== undefined && longest !== null) throw this.refused('size with a longest_edge');
    const type = String(this.values['image_processor_type'] ?? this.values['feature_extractor_type']);
    if (type.startsWith('Levit'))
      return { resize: Math.trunc((256 / 224) * edge), ...(crop !== undefined && { crop }) };
    const share = this.values['crop_pct'];
    if (typeof share !== 'number') return { resize: edge, ...(crop !== undefined && { crop }) };
    if (type.startsWith('ConvNext'))
      return edge < 384 ? { resize: Math.trunc(edge / share), crop: [edge, edge] } : { resize: [edge, edge] };
    return { resize: Math.trunc(edge / share), ...(crop !== undefined && { crop }) };
  }

  /** [height, width] of an entry that is a number or an object of both. */
  private pair(key: string): readonly [number, number] {
    const value = this.values[key];
    if (typeof value === 'number') return [value, value];
    if (Array.isArray(value) && value.length === 2) return [Number(value[1]), Number(value[0])]; // width first, in files of long ago
    if (isRecord(value) && typeof value['height'] === 'number' && typeof value['width'] === 'number')
      return [value['height'], value['width']];
    throw this.wrong(key);
  }

  private interpolation(): Interpolation {
    const value = this.values['resample'];
    if (typeof value === 'string') {
      const named = INTERPOLATIONS.find((known) => known === value);
      if (named !== undefined) return named === 'nearest' ? 'nearest-exact' : named;
    }
    const known = typeof value === 'number' ? PILLOW[value] : undefined;
    if (known === undefined) throw this.wrong('resample');
    return known;
  }

  /** An entry of true or false; null is the class's default. */
  private is(key: string, fallback: boolean): boolean {
    const value = this.values[key] ?? fallback;
    if (typeof value !== 'boolean') throw this.wrong(key);
    return value;
  }

  private isSet(key: string): boolean {
    const value = this.values[key];
    return value !== undefined && value !== null && value !== false;
  }

  private number(key: string, fallback: number): number {
    const value = this.values[key] ?? fallback;
    if (typeof value !== 'number') throw this.wrong(key);
    return value;
  }

  /** Three numbers, one for each channel. */
  private numbers(key: string): readonly number[] {
    const value = this.values[key];
    if (typeof value === 'number') return [value, value, value];
    if (Array.isArray(value) && value.length === 3 && value.every((v) => typeof v === 'number')) return value;
    throw this.wrong(key);
  }

  private wrong(key: string): FormatError {
    return new FormatError(`${this.call}: ${this.name} has ${key} ${shown(this.values[key])}.`, this.name);
  }

  private refused(key: string): ArgumentError {
    return new ArgumentError(`${this.call}: ${this.name} asks for ${key}, which there is not here.`);
  }
}

const LOAD_OPTIONS: OptionNames<Pick<FileOptions, 'onProgress' | 'signal' | 'cache'>> = {
  onProgress: true,
  signal: true,
  cache: true,
};

const CALL = 'loadImagePreprocessing';

/**
 * The preprocessing that a model of transformers asks for: from a folder or an address that has a `preprocessor_config.json`, from such a
 * file, or from its entries. The numbers are those of transformers on Pillow's images. Throws ArgumentError for image processors that are
 * not known here. transformers: AutoImageProcessor.from_pretrained.
 *
 *     const preprocess = await loadImagePreprocessing('vit-base-patch16-224');
 */
export async function loadImagePreprocessing(
  source: string | URL | Entries,
  options: Pick<FileOptions, 'onProgress' | 'signal' | 'cache'> = {},
): Promise<ImagePreprocessing> {
  checkOptions(CALL, options, LOAD_OPTIONS);
  const isPath = typeof source === 'string' || source instanceof URL;
  if (!isPath && (!isRecord(source) || ArrayBuffer.isView(source)))
    throw wrongKind(
      CALL,
      'the source',
      source,
      'Give a folder, an address, or the entries of a preprocessor_config.json',
    );
  const file = isPath ? fileOf(String(source)) : 'preprocessor_config.json';
  const entries = isPath ? await readJson(CALL, file, options) : source;
  const config = new ProcessorConfig(CALL, file, entries);
  return preprocessingOf(checkedPreprocessing(CALL, config.options()));
}

/** A name that ends with .json is the file itself. */
function fileOf(source: string): string {
  const path = isAddress(source) ? new URL(source).pathname : source;
  return path.endsWith('.json') ? source : inFolder(source, 'preprocessor_config.json');
}
