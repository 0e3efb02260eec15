// A contact sheet: many small images in one, in rows, enlarged by whole pixels, each with a label if there are any. What
// comes out is an RGB image for `encodePng` of nabla/io.
// Must not know: files, where images come from.

import {
  ArgumentError,
  checkOptions,
  formatShape,
  type OptionNames,
  ShapeError,
  checkGiven,
  checkHas,
  checkList,
  checkNumber,
  checkText,
} from '../tensor/library.js';
import { LETTER_HEIGHT, drawText, textWidth } from './pixel-font.js';
import type { HostImage } from './transform.js';
import { isUint8Array } from '../tensor/typed-arrays.js';
import { largest } from '../tensor/extremes.js';

export interface ContactSheetOptions {
  /** Images a row. Default: about as many as rows. */
  readonly columns?: number;
  /** Pixels of the sheet for one of an image, each way. Default: as many as make the largest image about 64 pixels wide. */
  readonly scale?: number;
  /** Texts below the images: capitals, digits, simple signs. What is too long is cut off. */
  readonly labels?: readonly string[];
  /** Pixels between images. Default 4. */
  readonly gap?: number;
}

const CONTACT_SHEET_OPTIONS: OptionNames<ContactSheetOptions> = { columns: true, scale: true, labels: true, gap: true };

const BACKGROUND = 24;
const INK = 220;
const LETTER_SCALE = 2;
/** The size in pixels that small images are enlarged to by default. */
const COMFORTABLE = 64;

/**
 * Images [1 or 3, H, W] side by side, bytes or floats from 0 to 1 (what is outside is cut off), their sizes may differ.
 *
 *     await writeFile('sheet.png', encodePng(contactSheet(images, { columns: 8 })));
 */
export function contactSheet(
  images: readonly HostImage[],
  options: ContactSheetOptions = {},
): HostImage<readonly [3, number, number], Uint8Array> {
  checkOptions('contactSheet', options, CONTACT_SHEET_OPTIONS);
  checkList('contactSheet', 'the argument', images, 'images');
  const { columns = Math.ceil(Math.sqrt(images.length)), scale, labels, gap = 4 } = options;
  if (labels !== undefined) checkList('contactSheet', 'labels', labels, 'texts');
  labels?.forEach((label, i) => checkText('contactSheet', `label ${i}`, label));
  checkGiven(checkNumber, 'contactSheet', { columns, scale, gap });
  if (images.length === 0) throw new ArgumentError('contactSheet: no images. Give at least one.');
  images.forEach(checkCell);
  const tallest = largest(images.map(({ shape }) => shape[1]));
  const widest = largest(images.map(({ shape }) => shape[2]));
  const zoom = scale ?? Math.max(1, Math.round(COMFORTABLE / Math.max(tallest, widest)));
  if (![columns, zoom, gap + 1].every((n) => Number.isInteger(n) && n >= 1)) {
    throw new ArgumentError(
      `contactSheet: ${columns} columns, a scale of ${zoom}, a gap of ${gap}. Use whole numbers of at least 1 (gap: 0).`,
    );
  }
  const caption = labels === undefined ? 0 : LETTER_HEIGHT * LETTER_SCALE + 4;
  const [cellHeight, cellWidth] = [tallest * zoom + caption + gap, widest * zoom + gap];
  const [height, width] = [Math.ceil(images.length / columns) * cellHeight + gap, columns * cellWidth + gap];
  const sheet = { data: new Uint8Array(3 * height * width).fill(BACKGROUND), shape: [3, height, width] as const };
  images.forEach((image, k) => {
    const [top, left] = [Math.floor(k / columns) * cellHeight + gap, (k % columns) * cellWidth + gap];
    paste(sheet, image, top, left, zoom);
    if (labels?.[k]) write(sheet, labels[k], top + tallest * zoom + 3, left, widest * zoom);
  });
  return sheet;
}

function checkCell(image: HostImage): void {
  checkHas('contactSheet', 'an image', image, ['data', 'shape'], 'Give images { data, shape }');
  const { data, shape } = image;
  const [channels, height, width] = shape;
  if (shape.length === 3 && (channels === 1 || channels === 3) && data.length === channels * height * width) return;
  throw new ShapeError(
    `contactSheet: ${data.length} numbers of the shape ${formatShape(shape)}. Give images [1, H, W] or [3, H, W].`,
    [shape],
  );
}

type Sheet = HostImage<readonly [3, number, number], Uint8Array>;

function paste(
  { data: out, shape: [, outHeight, outWidth] }: Sheet,
  image: HostImage,
  top: number,
  left: number,
  zoom: number,
) {
  const { data, shape } = image;
  const [channels, height, width] = shape;
  const unit = isUint8Array(data) ? 1 : 255;
  for (let c = 0; c < 3; c++) {
    const plane = channels === 1 ? 0 : c * height * width;
    for (let i = 0; i < height * zoom; i++) {
      const row = plane + Math.floor(i / zoom) * width;
      const target = (c * outHeight + top + i) * outWidth + left;
      for (let j = 0; j < width; j++) {
        const value = Math.min(Math.max(Math.round(data[row + j] * unit), 0), 255);
        out.fill(value, target + j * zoom, target + (j + 1) * zoom);
      }
    }
  }
}

function write({ data: out, shape: [, height, width] }: Sheet, label: string, top: number, left: number, room: number) {
  let text = label;
  while (text !== '' && textWidth(text) * LETTER_SCALE > room) text = text.slice(0, -1);
  drawText(text, (x, y) => {
    for (let c = 0; c < 3; c++) {
      for (let dy = 0; dy < LETTER_SCALE; dy++) {
        const at = (c * height + top + y * LETTER_SCALE + dy) * width + left + x * LETTER_SCALE;
        out.fill(INK, at, at + LETTER_SCALE);
      }
    }
  });
}
