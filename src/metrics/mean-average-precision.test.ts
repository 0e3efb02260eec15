// COCO's mean average precision: pycocotools' numbers on boxes with crowds, equal scores, small objects and few detections; cases by hand.
import { expect, test } from 'vitest';
import cases from '../../test/fixtures/coco-map.json' with { type: 'json' };
import { type FoundBox, MeanAveragePrecision, type TrueBox } from './index.js';

const four = ([x1, y1, x2, y2]: number[]): [number, number, number, number] => [x1, y1, x2, y2];

test.each(cases)('case %# is what pycocotools has', async ({ images, maxDetections, wanted }) => {
  const metric = new MeanAveragePrecision({ maxDetections });
  for (const { found, truth } of images) {
    metric.update(
      found.map((entry) => ({ ...entry, box: four(entry.box) })),
      truth.map((entry) => ({ ...entry, box: four(entry.box) })),
    );
  }
  const found: Readonly<Record<string, unknown>> = { ...(await metric.compute()) };
  const rounded = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(rounded) : Number.isNaN(value) || value === null ? '-' : Number(value).toFixed(10);
  for (const [name, value] of Object.entries(wanted))
    expect([name, rounded(found[name])]).toEqual([name, rounded(value)]);
});

const box = (score: number, ...corners: number[]): FoundBox => ({ box: four(corners), index: 0, score });
const there = (...box: number[]): TrueBox => ({ box: four(box), index: 0 });

test('by hand: found first, found behind a false alarm, found twice, not found', async () => {
  const metric = new MeanAveragePrecision({ iouThresholds: [0.5] });
  const map = async (boxes: readonly FoundBox[], truth: readonly TrueBox[]): Promise<number> => {
    metric.reset();
    metric.update(boxes, truth);
    return (await metric.compute()).map;
  };
  const object = there(0, 0, 10, 10);
  expect(await map([box(0.9, 0, 0, 10, 9)], [object])).toBe(1);
  expect(await map([box(0.9, 50, 50, 60, 60), box(0.8, 0, 0, 10, 10)], [object])).toBe(0.5);
  expect(await map([box(0.9, 0, 0, 10, 10), box(0.8, 0, 0, 10, 10)], [object])).toBe(1); // behind all recalls
  expect(await map([], [object])).toBe(0);
  expect(await map([box(0.9, 0, 0, 10, 10)], [])).toBeNaN();
  expect((await metric.compute()).map75).toBeNaN();
});

test('what is wrong is said', () => {
  const metric = new MeanAveragePrecision();
  expect(() => metric.update([box(1, 5, 0, 4, 1)], [])).toThrow(
    'MeanAveragePrecision: the detections, box 0 is [5, 0, 4, 1].',
  );
  expect(() => metric.update([], [{ ...there(0, 0, 1, 1), index: -1 }])).toThrow('the truth, index 0');
  expect(() => new MeanAveragePrecision({ iouThresholds: [0] })).toThrow('iouThresholds are [0]');
  expect(() => new MeanAveragePrecision({ maxDetections: 0 })).toThrow('maxDetections');
});
