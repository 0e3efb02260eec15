// The sets that come with the package: scikit-learn's numbers for the tables; what the generated ones promise.
import { expect, test } from 'vitest';
import fixture from '../../../test/fixtures/data.json' with { type: 'json' };
import { ArgumentError } from '../../tensor/library.js';
import {
  BREAST_CANCER,
  DIABETES,
  IRIS,
  WINE,
  blobs,
  breastCancer,
  circles,
  diabetes,
  iris,
  moons,
  shapeScenes,
  shapes,
  spirals,
  wine,
} from '../index.js';

const SETS = { iris, wine, breastCancer, diabetes: () => diabetes(), diabetesRaw: () => diabetes({ scaled: false }) };

test.each(Object.entries(fixture.sets))(
  '%s is what scikit-learn has',
  (name, { rows, columns, first, last, sums, targets }) => {
    const data = SETS[name as keyof typeof SETS]();
    const [x, y] = [data.column('x'), data.column('y')];
    expect([data.length, x.length / data.length]).toEqual([rows, columns]);
    expect([...x.subarray(0, columns)]).toEqual(Array.from(Float32Array.from(first)));
    expect([...x.subarray(-columns)]).toEqual(Array.from(Float32Array.from(last)));
    sums.forEach((sum, c) => {
      let own = 0;
      for (let row = 0; row < rows; row++) own += x[row * columns + c] * (1 + (row % 7));
      expect(Math.abs(own - sum)).toBeLessThan(1e-6 * rows * Math.max(...x.map(Math.abs)));
    });
    expect(Array.from(y).reduce((sum, v, row) => sum + v * (1 + (row % 7)), 0)).toBe(targets);
  },
);

test('columns have names', () => {
  expect([IRIS, WINE, BREAST_CANCER, DIABETES].map(({ features }) => features.length)).toEqual([4, 13, 30, 10]);
  expect(BREAST_CANCER.features[23]).toBe('worst area');
});

test('points: classes of equal size, the same for the same seed, where they belong', () => {
  for (const make of [moons, circles, blobs, spirals]) {
    const data = make({ samples: 90 });
    expect(data.length).toBe(90);
    expect(make({ samples: 90 }).column('x')).toEqual(data.column('x'));
    expect(make({ samples: 90, seed: 1 }).column('x')).not.toEqual(data.column('x'));
    const counts = new Map<number, number>();
    for (const label of data.column('y')) counts.set(label, (counts.get(label) ?? 0) + 1);
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBe(0);
    expect([...data.column('y').subarray(0, 30)]).not.toEqual(new Array(30).fill(0));
  }
  const rings = circles({ samples: 51, noise: 0, factor: 0.3 });
  rings.column('y').forEach((label, i) => {
    const [u, v] = rings.column('x').subarray(2 * i, 2 * i + 2);
    expect(Math.hypot(u, v)).toBeCloseTo(label === 0 ? 1 : 0.3, 5);
  });
  const half = moons({ samples: 40, noise: 0 });
  half.column('y').forEach((label, i) => {
    const [u, v] = half.column('x').subarray(2 * i, 2 * i + 2);
    expect(Math.hypot(label === 0 ? u : u - 1, label === 0 ? v : v - 0.5)).toBeCloseTo(1, 5);
  });
  expect(
    blobs({
      centers: [
        [0, 0],
        [5, 5],
      ],
      samples: 4,
      noise: 0,
    })
      .column('x')
      .filter((v) => v === 5),
  ).toHaveLength(4);
});

test('shapes: pictures from 0 to 1; a circle covers more than its square, the square more than its triangle', () => {
  const data = shapes({ samples: 300, noise: 0, size: 24 });
  const [x, y] = [data.column('x'), data.column('y')];
  expect(data.gather([0]).x.shape).toEqual([1, 1, 24, 24]);
  expect(x.every((v) => v >= 0 && v <= 1)).toBe(true);
  const areas = [0, 1, 2].map((shape) => {
    const own = Array.from(y.keys()).filter((i) => y[i] === shape);
    expect(own).toHaveLength(100);
    return own.reduce((sum, i) => sum + x.subarray(i * 576, (i + 1) * 576).filter((v) => v > 0.3).length, 0) / 100;
  });
  expect(areas[0]).toBeGreaterThan(areas[1] * 1.2);
  expect(areas[1]).toBeGreaterThan(areas[2] * 1.2);
});

test('scenes: what is true of each shape agrees with its pixels', () => {
  const size = 48;
  const data = shapeScenes({ samples: 60, size, objects: [1, 3], noise: 0 });
  const { x, mask, boxes, labels, colours } = data.gather(Array.from({ length: 60 }, (_, i) => i));
  expect([x.shape, mask.shape, boxes.shape, labels.shape]).toEqual([
    [60, 3, size, size],
    [60, size, size],
    [60, 3, 4],
    [60, 3],
  ]);
  expect(x.data.every((v) => v >= 0 && v <= 1)).toBe(true);
  const areas: number[][] = [[], [], []];
  for (let i = 0; i < 60; i++) {
    const [own, marked] = [labels.data.slice(3 * i, 3 * i + 3), mask.data.subarray(i * size * size)];
    const count = own.filter((label) => label >= 0).length;
    expect([...own.subarray(count)]).toEqual(new Array(3 - count).fill(-1)); // rows without a shape come last
    expect(count).toBeGreaterThan(0);
    let inside = 0;
    for (let k = 0; k < count; k++) {
      const [x1, y1, x2, y2] = boxes.data.subarray(4 * (3 * i + k), 4 * (3 * i + k) + 4);
      expect(Math.min(x1, y1)).toBeGreaterThan(-1);
      expect(Math.max(x2, y2)).toBeLessThan(size + 1);
      let [left, right, top, bottom, area] = [size, 0, size, 0, 0];
      for (let row = Math.floor(y1 + 0.01); row < Math.ceil(y2 - 0.01); row++)
        for (let column = Math.floor(x1 + 0.01); column < Math.ceil(x2 - 0.01); column++) {
          if (marked[row * size + column] !== own[k] + 1) continue;
          [left, right] = [Math.min(left, column), Math.max(right, column + 1)];
          [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
          area++;
        }
      inside += area;
      areas[own[k]].push(area / ((x2 - x1) * (y2 - y1)));
      // a corner may cover less than half of its pixels
      for (const gap of [left - x1, x2 - right, top - y1, y2 - bottom]) expect(Math.abs(gap)).toBeLessThan(2.5);
    }
    const all = marked.subarray(0, size * size).filter((label) => label > 0).length;
    expect(all).toBe(inside); // nothing outside the boxes
  }
  const [circle, square, triangle] = areas.map((list) => list.reduce((sum, share) => sum + share, 0) / list.length);
  expect(circle).toBeCloseTo(Math.PI / 4, 1);
  expect(square).toBeGreaterThan(0.5);
  expect(triangle).toBeLessThan(0.55);
  expect(colours.data.every((colour, i) => colour >= 0 === labels.data[i] >= 0)).toBe(true);
  const again = shapeScenes({ samples: 3, size, objects: [1, 3], noise: 0 }).column('x'); // each picture by itself
  expect(again).toEqual(x.data.slice(0, again.length));
});

test.each([
  [() => moons({ samples: 1 }), 'moons: samples is 1. Use a whole number of at least 2.'],
  [() => moons({ noise: -1 }), 'moons: noise is -1.'],
  [() => circles({ factor: 1 }), 'circles: factor is 1.'],
  [() => blobs({ centers: [] }), 'blobs: there are no centres.'],
  [() => spirals({ classes: 0 }), 'spirals: classes is 0.'],
  [() => shapes({ size: 4 }), 'shapes: 600 samples of size 4.'],
  [() => shapeScenes({ size: 8 }), 'shapeScenes: size is 8. Use a whole number of at least 16.'],
  [() => shapeScenes({ objects: [2, 1] }), 'shapeScenes: objects are [2, 1].'],
  [() => shapeScenes({ radius: [0, 0.2] }), 'shapeScenes: radius is [0, 0.2].'],
  [() => shapeScenes({ noise: -1 }), 'shapeScenes: noise is -1.'],
])('%# bad options are named', (make, message) => {
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(message);
});
