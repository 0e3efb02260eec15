// What a network says about pictures, drawn: the class of each pixel as a colour, boxes with their names, where it looks. Images in host memory in
// and out, for `contactSheet` and `encodePng`.

import { LETTER_HEIGHT, drawText, textWidth } from '../data/pixel-font.js';
import type { HostImage } from '../data/transform.js';
import {
  ArgumentError,
  ShapeError,
  checkHas,
  checkList,
  checkNumbers,
  checkOptions,
  checkWhole,
  formatShape,
  type OptionNames,
} from '../tensor/library.js';
import { isUint8Array } from '../tensor/typed-arrays.js';

/** Channels, height, width; bytes. */
type ColourImage = HostImage<readonly [3, number, number], Uint8Array>;

/** Black for the background, then colours that differ in hue and in brightness. */
const PALETTE = [
  [0, 0, 0],
  [230, 75, 60],
  [70, 150, 240],
  [250, 200, 60],
  [60, 190, 110],
  [190, 100, 220],
  [245, 140, 50],
  [80, 210, 220],
  [240, 130, 180],
  [160, 160, 160],
] as const;

/** The colour of a class; from the tenth on they come again, without the background's. */
export function colourOf(index: number): readonly [number, number, number] {
  return PALETTE[index < PALETTE.length ? index : 1 + ((index - 1) % (PALETTE.length - 1))];
}

function checkedSize(op: string, size: readonly number[], count: number, what: string): readonly [number, number] {
  checkNumbers(op, 'the size', size);
  const [height, width] = size;
  if (size.length === 2 && [height, width].every((n) => Number.isInteger(n) && n > 0) && count === height * width)
    return [height, width];
  throw new ArgumentError(
    `${op}: ${count} ${what} do not fill [${Array.from(size).join(', ')}]. Give one for each pixel, and [height, width].`,
  );
}

/**
 * The class of each pixel, row by row, as a picture [3, height, width]: black for class 0, a colour for each other one, white for labels
 * below 0.
 *
 *     const labels = await model.forward(x).argmax(1).select(0, 0).data();
 *     await writeFile('mask.png', encodePng(drawMask(labels, [64, 64])));
 */
export function drawMask(labels: ArrayLike<number>, size: readonly [height: number, width: number]): ColourImage {
  checkNumbers('drawMask', 'the labels', labels);
  const [height, width] = checkedSize('drawMask', size, labels.length, 'labels');
  const area = height * width;
  const data = new Uint8Array(3 * area);
  for (let p = 0; p < area; p++) {
    const label = labels[p];
    if (!Number.isInteger(label)) throw new ArgumentError(`drawMask: label ${p} is ${label}. Give whole numbers.`);
    const colour = label < 0 ? [255, 255, 255] : colourOf(label);
    for (let c = 0; c < 3; c++) data[c * area + p] = colour[c];
  }
  return { data, shape: [3, height, width] };
}

/** A box with what is in it, such as a `Detection`. */
export interface LabelledBox {
  /** x1, y1, x2, y2 in pixels. */
  readonly box: readonly [x1: number, y1: number, x2: number, y2: number];
  /** Written at the box. Default: nothing. */
  readonly label?: string;
  /** Chooses the colour. Default 0. */
  readonly index?: number;
}

export interface BoxPictureOptions {
  /** Pixels of the picture for one of the image, each way. Default 4. */
  readonly scale?: number;
}

const BOX_PICTURE_OPTIONS: OptionNames<BoxPictureOptions> = { scale: true };

/**
 * An image [1 or 3, H, W], bytes or floats from 0 to 1, enlarged, with boxes and their labels on it.
 *
 *     const found = await selectDetections(boxes, scores, { names });
 *     await writeFile('found.png', encodePng(drawBoxes(image, found)));
 */
export function drawBoxes(
  image: HostImage,
  boxes: readonly LabelledBox[],
  options: BoxPictureOptions = {},
): ColourImage {
  checkHas('drawBoxes', 'the image', image, ['data', 'shape'], 'Give an image { data, shape }');
  checkList('drawBoxes', 'the boxes', boxes, '{ box: [x1, y1, x2, y2] }');
  checkOptions('drawBoxes', options, BOX_PICTURE_OPTIONS);
  const { scale = 4 } = options;
  checkWhole('drawBoxes', 'scale', scale, 1);
  const picture = enlarged('drawBoxes', image, scale);
  boxes.forEach((labelled, i) => {
    checkHas('drawBoxes', `box ${i}`, labelled, ['box'], 'Give { box: [x1, y1, x2, y2] }');
    checkNumbers('drawBoxes', `box ${i}`, labelled.box);
    drawBox(picture, labelled, scale);
  });
  return picture;
}

/** Colours of numbers from 0 to 1, evenly spaced: black, violet, red, orange, light yellow. */
const HEAT = [
  [0, 0, 4],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
] as const;

/** How bright a picture is below heat, which could not be told from what is white in it otherwise. */
const DIMMED = 0.5;

function heatColour(value: number): number[] {
  const at = Math.min(Math.max(value, 0), 1) * (HEAT.length - 1);
  const from = Math.min(Math.floor(at), HEAT.length - 2);
  return HEAT[from].map((low, c) => Math.round(low + (at - from) * (HEAT[from + 1][c] - low)));
}

export interface HeatPictureOptions {
  /** An image [1 or 3, height, width] that shows through, half as bright, where numbers are small. Default: none. */
  readonly over?: HostImage;
}

const HEAT_PICTURE_OPTIONS: OptionNames<HeatPictureOptions> = { over: true };

/**
 * Numbers from 0 to 1, row by row, as colours from black to light yellow: what `saliency` and `gradCam` give, alone or over the picture.
 *
 *     const [map] = await gradCam(classify, model.layer4, x).array();
 *     drawHeat(map.flat(), [224, 224], { over: picture });
 */
export function drawHeat(
  heat: ArrayLike<number>,
  size: readonly [height: number, width: number],
  options: HeatPictureOptions = {},
): ColourImage {
  checkNumbers('drawHeat', 'the heat', heat);
  const [height, width] = checkedSize('drawHeat', size, heat.length, 'numbers');
  checkOptions('drawHeat', options, HEAT_PICTURE_OPTIONS);
  const { over } = options;
  const area = height * width;
  const below = over === undefined ? undefined : enlarged('drawHeat', over, 1);
  if (below !== undefined && (below.shape[1] !== height || below.shape[2] !== width))
    throw new ShapeError(
      `drawHeat: heat of ${height}×${width} over an image ${formatShape(below.shape)}: sizes differ`,
      [below.shape],
    );
  const data = new Uint8Array(3 * area);
  for (let p = 0; p < area; p++) {
    const colour = heatColour(heat[p]);
    const share = below === undefined ? 1 : Math.min(Math.max(heat[p], 0), 1) ** 0.75;
    for (let c = 0; c < 3; c++)
      data[c * area + p] = Math.round(share * colour[c] + (1 - share) * DIMMED * (below?.data[c * area + p] ?? 0));
  }
  return { data, shape: [3, height, width] };
}

function enlarged(op: string, { data, shape }: HostImage, scale: number): ColourImage {
  const [channels, height, width] = shape;
  if (shape.length !== 3 || (channels !== 1 && channels !== 3) || data.length !== channels * height * width)
    throw new ShapeError(
      `${op}: ${data.length} numbers of the shape ${formatShape(shape)}. Give an image [1, H, W] or [3, H, W].`,
      [shape],
    );
  const unit = isUint8Array(data) ? 1 : 255;
  const [rows, columns] = [height * scale, width * scale];
  const out = new Uint8Array(3 * rows * columns);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < rows; y++) {
      const from = ((channels === 1 ? 0 : c) * height + Math.floor(y / scale)) * width;
      for (let x = 0; x < columns; x++)
        out[(c * rows + y) * columns + x] = Math.min(Math.max(data[from + Math.floor(x / scale)] * unit, 0), 255);
    }
  }
  return { data: out, shape: [3, rows, columns] };
}

function drawBox(picture: ColourImage, { box, label = '', index = 0 }: LabelledBox, scale: number): void {
  const { data, shape } = picture;
  const [, height, width] = shape;
  const colour = colourOf(index + 1);
  const set = (x: number, y: number, to: readonly number[]): void => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    for (let c = 0; c < 3; c++) data[(c * height + y) * width + x] = to[c];
  };
  const [left, top, right, bottom] = Array.from(box, (side) => Math.round(side * scale));
  for (let x = left; x <= right; x++) for (const y of [top, bottom - 1]) set(x, y, colour);
  for (let y = top; y < bottom; y++) for (const x of [left, right - 1]) set(x, y, colour);
  if (label === '') return;
  // above the box, or inside where there is no room
  const [from, above] = [Math.max(0, left), top - LETTER_HEIGHT - 2];
  const line = above < 0 ? top + 1 : above;
  for (let x = -1; x <= textWidth(label); x++)
    for (let y = -1; y <= LETTER_HEIGHT; y++) set(from + 1 + x, line + 1 + y, colour);
  drawText(label, (x, y) => set(from + 1 + x, line + 1 + y, [0, 0, 0]));
}
