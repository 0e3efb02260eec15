// Pictures, masks and boxes move together.
import { expect, test } from 'vitest';
import { HostRandom, shapeScenes } from '../index.js';
import { cropMove, horizontalFlipMove, moveTogether, transposeMove, verticalFlipMove } from './index.js';

const FIELDS = { masks: ['mask'], boxes: { boxes: 'labels' } };
const sample = () => ({
  x: { data: Float32Array.from({ length: 12 }, (_, i) => i), shape: [1, 3, 4] as const },
  mask: { data: Int32Array.from({ length: 12 }, (_, i) => i), shape: [3, 4] as const },
  boxes: { data: Float32Array.of(0, 0, 2, 1, 3, 1, 4, 3), shape: [2, 4] as const },
  labels: { data: Int32Array.of(5, 6), shape: [2] as const },
});
const random = new HostRandom(0);

test('flips, by hand', () => {
  const { x, mask, boxes } = moveTogether(FIELDS, horizontalFlipMove(1), verticalFlipMove(1))(sample(), random);
  expect([...x.data]).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  expect([...mask.data]).toEqual([...x.data]);
  expect([...boxes.data]).toEqual([2, 2, 4, 3, 0, 0, 1, 2]);
});

test('transposed, then cropped: a box of which nothing is left is none', () => {
  const { x, mask, boxes, labels } = moveTogether(
    FIELDS,
    transposeMove(1),
    cropMove([2, 3]),
  )(sample(), {
    ...random,
    below: () => 0,
    uniform: () => 0,
  } as unknown as HostRandom);
  expect([x.shape, mask.shape]).toEqual([
    [1, 2, 3],
    [2, 3],
  ]);
  expect([...mask.data]).toEqual([0, 4, 8, 1, 5, 9]);
  expect([[...boxes.data], [...labels.data]]).toEqual([
    [0, 0, 1, 2, 0, 0, 0, 0],
    [5, -1],
  ]);
});

test('in scenes boxes stay around their shapes', () => {
  const moved = moveTogether(FIELDS, horizontalFlipMove(), verticalFlipMove(), transposeMove());
  const scenes = shapeScenes({ samples: 8, size: 32, objects: [1, 1] }).transformedSamples(moved);
  const positions = [0, 1, 2, 3, 4, 5, 6, 7];
  const { mask, boxes, labels } = scenes.gather(positions, (i) => new HostRandom(7, 0, i));
  for (const i of positions) {
    const own = Array.from(mask.data.subarray(i * 1024, (i + 1) * 1024), (label, p) => [label, p % 32, p >> 5]);
    const inside = own.filter(([label]) => label === labels.data[i] + 1);
    const [x1, y1, x2, y2] = boxes.data.subarray(4 * i);
    expect(inside.length).toBeGreaterThan(10);
    expect(inside.every(([, x, y]) => x >= x1 - 1 && x < x2 + 1 && y >= y1 - 1 && y < y2 + 1)).toBe(true);
  }
});

test('what is wrong is said', () => {
  expect(() => moveTogether({ images: [], masks: [] })).toThrow('moveTogether: nothing is moved.');
  expect(() => moveTogether({ masks: ['none'] })(sample(), random)).toThrow('moveTogether: the sample');
  expect(() => moveTogether({}, cropMove(9))(sample(), random)).toThrow(
    'cropMove: a picture of 3×4 has no part of 9×9',
  );
  expect(() => horizontalFlipMove(2)).toThrow('horizontalFlipMove');
});
