// Every deterministic function against torchvision's (test/fixtures/transforms.json, from tools/parity/transforms.py).
// Floats agree to 1e-5 (here: of values from 0 to 1 or a few units). Bytes are equal, but for the cases listed in ROUNDED,
// where torchvision's own arithmetic (fixed point, or the order of float32 operations) may round the other way: one level.
import { expect, test } from 'vitest';
import fixture from '../../../../test/fixtures/transforms.json' with { type: 'json' };
import type { Image, Pixels } from '../image.js';
import * as F from './index.js';

type Args = readonly never[];
type Result = Image | readonly Image[];

const OPS: Record<string, (image: Image, ...args: Args) => Result> = {
  horizontalFlip: F.horizontalFlip,
  verticalFlip: F.verticalFlip,
  crop: F.crop,
  centerCrop: (image, h: number, w: number) => F.centerCrop(image, [h, w]),
  pad: (image, sides: F.Padding, fill: number, mode: F.PaddingMode) => F.pad(image, sides, { fill, mode }),
  fiveCrop: (image, h: number, w: number) => F.fiveCrop(image, [h, w]),
  tenCrop: (image, h: number, w: number, vertical: boolean) => F.tenCrop(image, [h, w], { vertical }),
  resize: (image, size: number, interpolation: F.Interpolation, antialias: boolean) =>
    F.resize(image, size, { interpolation, antialias }),
  rotate: (image, angle: number, interpolation: F.WarpInterpolation, expand: boolean, fill: number, center: F.Point) =>
    F.rotate(image, angle, { interpolation, expand, fill, center: center ?? undefined }),
  affine: (
    image,
    angle: number,
    translate: F.Point,
    scale: number,
    shear: F.Point,
    interpolation: F.WarpInterpolation,
    fill: number,
    center: F.Point,
  ) => F.affine(image, { angle, translate, scale, shear, interpolation, fill, center: center ?? undefined }),
  perspective: (image, from: F.Point[], to: F.Point[], interpolation: F.WarpInterpolation, fill: number) =>
    F.perspective(image, from, to, { interpolation, fill }),
  adjustBrightness: F.adjustBrightness,
  adjustContrast: F.adjustContrast,
  adjustSaturation: F.adjustSaturation,
  adjustHue: F.adjustHue,
  adjustGamma: F.adjustGamma,
  adjustSharpness: F.adjustSharpness,
  toGrayscale: F.toGrayscale,
  invert: F.invert,
  posterize: F.posterize,
  solarize: F.solarize,
  autocontrast: F.autocontrast,
  equalize: F.equalize,
  gaussianBlur: (image, size: number, sigma: number | null) => F.gaussianBlur(image, size, sigma ?? undefined),
  erase: (image, top: number, left: number, height: number, width: number, value: number[]) =>
    F.erase(image, { top, left, height, width }, value),
  toFloat: F.toFloat,
  toBytes: F.toBytes,
  normalize: F.normalize,
};

/** Where a byte may be one level off. */
const ROUNDED = new Set<string>(['resize']);

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

const isFloat = (name: string): boolean => name.includes('float');

function imageOf(name: string): Image {
  const [shape, text] = fixture.images[name as keyof typeof fixture.images] as [[number, number, number], string];
  const bytes = bytesOf(text);
  return { data: isFloat(name) ? new Float32Array(bytes.buffer) : bytes, shape };
}

function joined(result: Result): { data: number[]; shape: readonly number[]; kind: string } {
  const list = Array.isArray(result) ? (result as Image[]) : [result as Image];
  const shape = [list.length * list[0].shape[0], list[0].shape[1], list[0].shape[2]];
  return { data: list.flatMap(({ data }) => [...data]), shape, kind: list[0].data.constructor.name };
}

const rows = fixture.cases as unknown as [string, Args, string, number[], string][];

test.each(rows.map((row) => [`${row[0]}(${JSON.stringify(row[1]).slice(1, -1)}) of ${row[2]}`, row] as const))(
  '%s as torchvision',
  (_, [op, args, name, shape, text]) => {
    const image = imageOf(name);
    const before = image.data.slice() as Pixels;
    const result = joined(OPS[op](image, ...args));
    expect(image.data).toEqual(before);
    expect(result.shape).toEqual(shape);
    const bytes = bytesOf(text);
    const isBytes = op === 'toBytes' || (!isFloat(name) && op !== 'toFloat' && op !== 'normalize');
    expect(result.kind).toBe(isBytes ? 'Uint8Array' : 'Float32Array');
    const wanted = isBytes ? bytes : new Float32Array(bytes.buffer);
    const tolerance = isBytes ? (ROUNDED.has(op) ? 1 : 0) : 1e-5;
    const worst = result.data.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i])), 0);
    expect(worst).toBeLessThanOrEqual(tolerance);
  },
);
