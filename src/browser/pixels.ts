// Pictures of a page as tensors, and tensors as pictures: images, canvases, videos, bitmaps.
// Must not know: files, models.

import { checkedSize } from '../vision/check.js';
import {
  ArgumentError,
  DTypeError,
  type OptionNames,
  ShapeError,
  checkChoice,
  checkOptions,
  formatShape,
  wrongKind,
} from '../tensor/library.js';
import { tensor } from '../tensor/creation.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';

/** What a page draws pictures from: elements, bitmaps, frames of a video, pixels. */
export type PixelSource =
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | OffscreenCanvas
  | ImageBitmap
  | ImageData
  | VideoFrame;

export interface FromPixelsOptions<C extends 1 | 3 | 4 = 1 | 3 | 4> {
  /** 3: red, green, blue; 1: grey; 4: with opacity. Default 3. */
  readonly channels?: C;
  /** Height and width of the result, in pixels: the picture is scaled to it. Default: its own. */
  readonly size?: number | readonly [height: number, width: number];
}

const OPTIONS: OptionNames<FromPixelsOptions> = { channels: true, size: true };

/** Weights of red, green and blue in grey, in 65536ths. Source: ITU-R 601, as Pillow has them. */
const GREY = [19_595, 38_470, 7471] as const;

/**
 * A picture of the page as float32 [channels, height, width] from 0 to 1; what is transparent lies on white, unless opacity is asked for.
 * Of a video the frame that is shown. Throws ArgumentError for a picture that is not loaded yet, and outside of browsers.
 * TensorFlow.js: tf.browser.fromPixels (which has channels last, and bytes).
 *
 *     const x = fromPixels(canvas, { channels: 1, size: 28 }).unsqueeze(0);
 */
export function fromPixels(source: PixelSource): Tensor<[3, number, number]>;
export function fromPixels<C extends 1 | 3 | 4 = 3>(
  source: PixelSource,
  options: FromPixelsOptions<C>,
): Tensor<[C, number, number]>;
export function fromPixels(source: PixelSource, options: FromPixelsOptions = {}): Tensor<[number, number, number]> {
  const call = 'fromPixels';
  checkOptions(call, options, OPTIONS);
  const { channels = 3, size } = options;
  checkChoice(call, 'channels', channels, [1, 3, 4]);
  const own = sizeOf(call, source);
  const [height, width] = size === undefined ? own : checkedSize(call, size, 'size');
  const { data } = read(call, source, own, [height, width], channels !== 4);
  const plane = height * width;
  const numbers = new Float32Array(channels * plane);
  for (let i = 0; i < plane; i++) {
    if (channels === 1) numbers[i] = grey(data, 4 * i) / 255;
    else for (let c = 0; c < channels; c++) numbers[c * plane + i] = data[4 * i + c] / 255;
  }
  return tensor(numbers, { shape: [channels, height, width] });
}

const grey = (data: Uint8ClampedArray, at: number): number =>
  (data[at] * GREY[0] + data[at + 1] * GREY[1] + data[at + 2] * GREY[2] + 0x8000) >> 16;

/** By what a source has: an element of another page's window is of another class. */
function sizeOf(call: string, source: unknown): [height: number, width: number] {
  const wanted = 'a picture: an image, a canvas, a video, an ImageBitmap or ImageData';
  if (typeof source !== 'object' || source === null) throw wrongKind(call, 'the source', source, wanted);
  const { naturalWidth, naturalHeight, videoWidth, videoHeight, displayWidth, displayHeight, width, height }: Sized =
    source;
  const [w, h] = [
    naturalWidth ?? videoWidth ?? displayWidth ?? width,
    naturalHeight ?? videoHeight ?? displayHeight ?? height,
  ];
  if (typeof w !== 'number' || typeof h !== 'number') throw wrongKind(call, 'the source', source, wanted);
  if (w > 0 && h > 0) return [h, w];
  if (videoWidth !== undefined)
    throw new ArgumentError(`${call}: the video shows no picture yet. Wait for its event loadeddata.`);
  if (naturalWidth !== undefined)
    throw new ArgumentError(`${call}: the image is not loaded. Use await image.decode() before.`);
  throw new ArgumentError(`${call}: the picture is ${h} pixels high and ${w} wide. There is nothing in it.`);
}

type Sized = Partial<
  Record<
    | 'naturalWidth'
    | 'naturalHeight'
    | 'videoWidth'
    | 'videoHeight'
    | 'displayWidth'
    | 'displayHeight'
    | 'width'
    | 'height',
    number
  >
>;

const isPixels = (source: PixelSource): source is ImageData =>
  'data' in source && Object.prototype.toString.call(source) === '[object ImageData]';

function read(
  call: string,
  source: PixelSource,
  [ownHeight, ownWidth]: readonly [number, number],
  [height, width]: readonly [number, number],
  onWhite: boolean,
): ImageData {
  const isOwnSize = height === ownHeight && width === ownWidth;
  if (isPixels(source) && isOwnSize && !onWhite) return source;
  const pen = penOf(call, height, width);
  if (onWhite) {
    pen.fillStyle = 'white';
    pen.fillRect(0, 0, width, height);
  }
  pen.imageSmoothingQuality = 'high';
  let picture: Exclude<PixelSource, ImageData> | OffscreenCanvas;
  if (isPixels(source)) {
    const whole = penOf(call, ownHeight, ownWidth); // pixels are put, not drawn: they would cover the white
    whole.putImageData(source, 0, 0);
    picture = whole.canvas;
  } else picture = source;
  pen.drawImage(picture, 0, 0, width, height);
  try {
    return pen.getImageData(0, 0, width, height);
  } catch (cause) {
    throw new ArgumentError(
      `${call}: the page may not read this picture, which comes from another server. Load it with crossOrigin = 'anonymous'.`,
      { cause },
    );
  }
}

function penOf(call: string, height: number, width: number): OffscreenCanvasRenderingContext2D {
  if (typeof OffscreenCanvas !== 'function')
    throw new ArgumentError(`${call}: there is no canvas here. In Node, readImage of nabla/data reads files.`);
  const pen = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (pen === null) throw new ArgumentError(`${call}: the page has no canvas of ${width}×${height} pixels.`);
  return pen;
}

/**
 * A tensor [height, width] or [1, 3 or 4, height, width] as ImageData, and on `canvas` where one is given, which takes its size. Floats
 * from 0 to 1 (what is outside is cut off), or whole numbers from 0 to 255. TensorFlow.js: tf.browser.toPixels.
 *
 *     await toPixels(model.forward(x).reshape([28, 28]), document.querySelector('canvas')!);
 */
export async function toPixels(x: AnyTensor, canvas?: HTMLCanvasElement | OffscreenCanvas): Promise<ImageData> {
  const call = 'toPixels';
  checkTensor(x, call);
  const { shape, dtype } = x;
  const [channels, height, width] = shape.length === 2 ? [1, ...shape] : shape;
  const isPicture = (shape.length === 2 || shape.length === 3) && [1, 3, 4].includes(channels) && height * width > 0;
  if (!isPicture)
    throw new ShapeError(`${call}: ${formatShape(shape)}: need [H, W], or [1, H, W], [3, H, W] or [4, H, W].`, [shape]);
  if (dtype === 'bool') throw new DTypeError(`${call}: the tensor is bool. Convert with to('float32').`, ['bool']);
  if (canvas !== undefined && typeof (canvas as Partial<HTMLCanvasElement> | null)?.getContext !== 'function')
    throw wrongKind(call, 'the second argument', canvas, 'a canvas');
  if (typeof ImageData !== 'function')
    throw new ArgumentError(`${call}: there are no canvases here. In Node, encodePng of nabla/io makes files.`);
  const scale = dtype === 'int32' || dtype === 'uint8' ? 1 : 255;
  const numbers = await x.data();
  const plane = height * width;
  const pixels = new ImageData(width, height);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = Number(numbers[(channels === 1 ? 0 : c) * plane + i]) * scale;
    pixels.data[4 * i + 3] = channels === 4 ? Number(numbers[3 * plane + i]) * scale : 255;
  }
  if (canvas !== undefined) {
    [canvas.width, canvas.height] = [width, height];
    const pen = canvas.getContext('2d');
    if (pen === null || !('putImageData' in pen))
      throw new ArgumentError(
        `${call}: the canvas is drawn on by something else. Give one without a context, or with '2d'.`,
      );
    pen.putImageData(pixels, 0, 0);
  }
  return pixels;
}
