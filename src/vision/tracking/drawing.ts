// Ways of objects through a plane, as a picture: a line in a colour of its own for each, a point where it is last, grey points for what was detected.

import type { HostImage } from '../../data/transform.js';
import {
  type OptionNames,
  checkHas,
  checkList,
  checkNeededOptions,
  checkNumber,
  checkNumbers,
  checkWhole,
} from '../../tensor/library.js';
import { colourOf } from '../drawing.js';

export interface TrackPictureOptions {
  /** Side of the square that everything is in. */
  readonly size: number;
  /** Pixels of a side of the picture. Default 300. */
  readonly pixels?: number;
  /** Places that are drawn as grey points. Default: none. */
  readonly points?: readonly { readonly position: readonly number[] }[];
}

const TRACK_PICTURE_OPTIONS: OptionNames<TrackPictureOptions> = { size: true, pixels: true, points: true };

/**
 * Objects frame by frame, such as what `trackFrames` gives, in one picture.
 *
 *     await writeFile('tracks.png', encodePng(drawTracks(frames, { size: 100, points: scene.detections })));
 */
export function drawTracks(
  frames: readonly (readonly { readonly id: number; readonly position: readonly number[] }[])[],
  options: TrackPictureOptions,
): HostImage<readonly [3, number, number], Uint8Array> {
  const op = 'drawTracks';
  checkList(op, 'the frames', frames, 'lists of { id, position }');
  checkNeededOptions(op, options, TRACK_PICTURE_OPTIONS, '{ size: 100 }');
  const { size, pixels = 300, points = [] } = options;
  checkNumber(op, 'size', size);
  checkWhole(op, 'pixels', pixels, 16);
  checkList(op, 'points', points, '{ position: [x, y] }');
  const checked = (what: string, object: { readonly position: readonly number[] }): void => {
    checkHas(op, what, object, ['position'], 'Give { id, position: [x, y] }');
    checkNumbers(op, `the position of ${what}`, object.position);
  };
  points.forEach((point, i) => checked(`point ${i}`, point));
  frames.forEach((objects, i) => {
    checkList(op, `frame ${i}`, objects, '{ id, position: [x, y] }');
    for (const object of objects) checked(`an object of frame ${i}`, object);
  });
  const data = new Uint8Array(3 * pixels * pixels).fill(16);
  const set = (x: number, y: number, colour: readonly number[]): void => {
    if (x < 0 || y < 0 || x >= pixels || y >= pixels) return;
    for (let c = 0; c < 3; c++) data[(c * pixels + y) * pixels + x] = colour[c];
  };
  const place = ([x, y]: readonly number[]): [number, number] => [
    Math.round((x / size) * (pixels - 1)),
    Math.round((y / size) * (pixels - 1)),
  ];
  const dot = (position: readonly number[], radius: number, colour: readonly number[]): void => {
    const [x, y] = place(position);
    for (let dx = -radius; dx <= radius; dx++)
      for (let dy = -radius; dy <= radius; dy++)
        if (dx * dx + dy * dy <= radius * radius + 1) set(x + dx, y + dy, colour);
  };
  for (const { position } of points) dot(position, 1, [110, 110, 110]);
  const last = new Map<number, readonly number[]>();
  for (const objects of frames) {
    for (const { id, position } of objects) {
      const colour = colourOf(1 + (Math.abs(id) % 9));
      const before = last.get(id);
      if (before !== undefined) {
        const [[x1, y1], [x2, y2]] = [place(before), place(position)];
        const steps = Math.max(Math.abs(x2 - x1), Math.abs(y2 - y1), 1);
        for (let i = 0; i <= steps; i++)
          set(Math.round(x1 + ((x2 - x1) * i) / steps), Math.round(y1 + ((y2 - y1) * i) / steps), colour);
      }
      last.set(id, position);
    }
  }
  for (const [id, position] of last) dot(position, 3, colourOf(1 + (Math.abs(id) % 9)));
  return { data, shape: [3, pixels, pixels] };
}
