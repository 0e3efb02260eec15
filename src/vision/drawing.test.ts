// Pictures of what a network says: colours where they belong.
import { expect, test } from 'vitest';
import { drawBoxes, drawHeat, drawMask } from './index.js';

const pixel = ({ data, shape }: ReturnType<typeof drawMask>, row: number, column: number): number[] =>
  [0, 1, 2].map((c) => data[(c * shape[1] + row) * shape[2] + column]);

test('a mask: black, a colour for each class, white for what is not known', () => {
  const mask = drawMask([0, 1, 2, -1, 10, 1], [2, 3]);
  expect(mask.shape).toEqual([3, 2, 3]);
  expect([pixel(mask, 0, 0), pixel(mask, 1, 0)]).toEqual([
    [0, 0, 0],
    [255, 255, 255],
  ]);
  expect(pixel(mask, 0, 1)).toEqual(pixel(mask, 1, 2));
  expect(pixel(mask, 0, 1)).not.toEqual(pixel(mask, 0, 2));
  expect(pixel(mask, 1, 1)).toEqual(pixel(mask, 0, 1)); // the colours come again
  expect(() => drawMask([0, 1], [2, 2])).toThrow('drawMask: 2 labels do not fill [2, 2].');
  expect(() => drawMask([0.5], [1, 1])).toThrow('drawMask: label 0 is 0.5.');
});

test('boxes: lines around, the name above or inside, what is outside is left out', () => {
  const image = { data: new Float32Array(400).fill(0.5), shape: [1, 20, 20] };
  const picture = drawBoxes(image, [{ box: [5, 10, 15, 18], label: 'A', index: 1 }], { scale: 2 });
  expect(picture.shape).toEqual([3, 40, 40]);
  const line = pixel(picture, 20, 20);
  expect(pixel(picture, 35, 29)).toEqual(line); // last row and column inside the box
  expect([pixel(picture, 24, 20), pixel(picture, 36, 20)]).toEqual([
    [127, 127, 127],
    [127, 127, 127],
  ]);
  expect(pixel(picture, 14, 11)).toEqual(line); // the ground of the letter
  expect(drawBoxes(image, [{ box: [-5, -5, 50, 50], label: 'far out' }]).shape).toEqual([3, 80, 80]);
  expect(() => drawBoxes({ data: new Float32Array(3), shape: [2, 2] }, [])).toThrow(
    'drawBoxes: 3 numbers of the shape [2, 2]',
  );
});

test('heat: from dark to light, and the picture where there is none', () => {
  const alone = drawHeat([0, 0.5, 1, 2], [2, 2]);
  const light = (row: number, column: number): number => pixel(alone, row, column).reduce((sum, part) => sum + part);
  expect(light(0, 0)).toBeLessThan(light(0, 1));
  expect(light(0, 1)).toBeLessThan(light(1, 0));
  expect(pixel(alone, 1, 0)).toEqual(pixel(alone, 1, 1));
  const grey = { data: Uint8Array.of(10, 20, 30, 40), shape: [1, 2, 2] };
  const over = drawHeat([0, 1, 0, 0], [2, 2], { over: grey });
  expect([pixel(over, 0, 0), pixel(over, 1, 1)]).toEqual([
    [5, 5, 5],
    [20, 20, 20],
  ]);
  expect(pixel(over, 0, 1)[0]).toBeGreaterThan(150);
  expect(() => drawHeat([0], [1, 1], { over: grey })).toThrow(
    'drawHeat: heat of 1×1 over an image [3, 2, 2]: sizes differ',
  );
});
