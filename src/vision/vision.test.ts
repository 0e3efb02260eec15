// Boxes and regions of interest against torchvision (test/fixtures/vision.json), values and gradients; errors in the user's words.
import { beforeAll, expect, test } from 'vitest';
import { type Tensor, cat, rand, setDevice, tensor } from 'nabla';
import {
  anchors,
  batchedNms,
  boxArea,
  boxConvert,
  boxIou,
  clipBoxes,
  decodeBoxes,
  encodeBoxes,
  generalizedBoxIou,
  largeBoxes,
  multiScaleRoiAlign,
  nms,
  roiAlign,
  roiPool,
} from 'nabla/vision';
import { expectNear, readFixture } from '../../test/support/pytorch.js';

interface Numbers {
  readonly shape: number[];
  readonly data: number[];
}

interface Case {
  readonly op: 'roiAlign' | 'roiPool';
  readonly size: number | readonly [number, number];
  readonly options: object;
  readonly together: boolean;
  readonly out: Numbers;
  readonly grad: Numbers;
}

interface Fixture {
  readonly a: Numbers;
  readonly b: Numbers;
  readonly area: Numbers;
  readonly iou: Numbers;
  readonly giou: Numbers;
  readonly convert: Readonly<Record<string, Readonly<Record<string, Numbers>>>>;
  readonly clip: Numbers;
  readonly many: Numbers;
  readonly scores: Numbers;
  readonly classes: number[];
  readonly nms: Readonly<Record<string, number[]>>;
  readonly batched: number[];
  readonly large: number[];
  readonly anchors: Numbers;
  readonly anchor: Numbers;
  readonly deltas: Numbers;
  readonly wide: Numbers;
  readonly encoded: Numbers;
  readonly decoded: Numbers;
  readonly decodedWide: Numbers;
  readonly x: Numbers;
  readonly lists: readonly Numbers[];
  readonly together: Numbers;
  readonly regions: readonly Case[];
  readonly maps: readonly Numbers[];
  readonly imageBoxes: readonly Numbers[];
  readonly multi: Numbers;
}

const fixture = readFixture<Fixture>('vision.json');
const FORMATS = ['xyxy', 'xywh', 'cxcywh'] as const;

const given = ({ data, shape }: Numbers, requiresGrad = false): Tensor =>
  tensor(Float32Array.from(data), { shape, requiresGrad });

async function expectSame(t: Tensor, wanted: Numbers, what: string, tolerance = 2e-6): Promise<void> {
  expect(t.shape, `${what}: shape`).toEqual(wanted.shape);
  expectNear([...(await t.data())], wanted.data, what, tolerance);
}

beforeAll(() => setDevice('cpu'));

test('areas, overlaps, formats, clipping', async () => {
  const [a, b] = [given(fixture.a), given(fixture.b)];
  await expectSame(boxArea(a), fixture.area, 'area');
  await expectSame(boxIou(a, b), fixture.iou, 'iou');
  await expectSame(generalizedBoxIou(a, b), fixture.giou, 'giou');
  await expectSame(clipBoxes(a.sub(5), [20, 24]), fixture.clip, 'clip');
  for (const from of FORMATS)
    for (const to of FORMATS)
      await expectSame(
        boxConvert(boxConvert(a, 'xyxy', from), from, to),
        fixture.convert[from][to],
        `${from} ${to}`,
        1e-5,
      );
});

test('what suppression keeps, and in which order', async () => {
  const [boxes, scores] = [given(fixture.many), given(fixture.scores)];
  const classes = tensor(Int32Array.from(fixture.classes));
  for (const [threshold, kept] of Object.entries(fixture.nms))
    expect([...(await (await nms(boxes, scores, Number(threshold))).data())]).toEqual(kept);
  expect([...(await (await batchedNms(boxes, scores, classes, 0.3)).data())]).toEqual(fixture.batched);
  expect([...(await (await largeBoxes(boxes, 6)).data())]).toEqual(fixture.large);
  const empty = await nms(boxes.slice(0, 0, 0), scores.slice(0, 0, 0), 0.5);
  expect(empty.shape).toEqual([0]);
});

test('anchors, and boxes as changes of them', async () => {
  const made = anchors(
    [32, 40],
    [
      [4, 5],
      [2, 3],
    ],
    { sizes: [8, [16, 24]] },
  );
  await expectSame(made, fixture.anchors, 'anchors');
  const [boxes, anchor] = [given(fixture.a), given(fixture.anchor)];
  const weights = [10, 10, 5, 5] as const;
  await expectSame(encodeBoxes(boxes, anchor, { weights }), fixture.encoded, 'encoded', 1e-5);
  await expectSame(decodeBoxes(given(fixture.deltas), anchor, { weights }), fixture.decoded, 'decoded');
  await expectSame(decodeBoxes(given(fixture.wide), anchor, { weights }), fixture.decodedWide, 'decoded, two classes');
  const there: Tensor = decodeBoxes(encodeBoxes(boxes, anchor), anchor);
  await expectSame(there, fixture.a, 'there and back', 1e-5);
});

test('regions of interest and their gradients', async () => {
  const lists = fixture.lists.map((list) => given(list));
  for (const [i, { op, size, options, together, out, grad }] of fixture.regions.entries()) {
    const x = given(fixture.x, true);
    const boxes = together ? given(fixture.together) : lists;
    const y = op === 'roiAlign' ? roiAlign(x, boxes, size, options) : roiPool(x, boxes, size, options);
    const what = `${op} ${i}`;
    await expectSame(y, out, what, 1e-5);
    const weights = tensor(
      Float32Array.from({ length: y.size }, (_, k) => Math.cos(k)),
      { shape: y.shape },
    );
    y.mul(weights).sum().backward();
    await expectSame(x.grad as Tensor, grad, `${what}, gradient`, 1e-5);
  }
}, 60_000);

test('regions in a pyramid of maps', async () => {
  const maps = fixture.maps.map((map) => given(map));
  const boxes = fixture.imageBoxes.map((some) => given(some));
  const options = { samplingRatio: 2, canonicalScale: 60, canonicalLevel: 3 };
  await expectSame(multiScaleRoiAlign(maps, boxes, [128, 160], 3, options), fixture.multi, 'pyramid', 1e-5);
});

test('errors say what was called and what is wrong', async () => {
  const x = rand([2, 3, 8, 8]);
  const boxes = tensor([[0, 0, 4, 4]]);
  expect(() => boxIou(rand([3, 5]), boxes)).toThrow('boxIou: the first boxes [3, 5]: need [N, 4], each x1, y1, x2, y2');
  await expect(nms(boxes, rand([2]), 0.5)).rejects.toThrow('nms: the scores [2]: need [1], one for each box');
  await expect(nms(boxes, rand([1]), 2)).rejects.toThrow('nms: iouThreshold is 2. Use a number from 0 to 1.');
  expect(() => roiAlign(x, [boxes], 7)).toThrow('roiAlign: 1 lists of boxes for 2 images. Give one for each image.');
  expect(() => roiAlign(x, boxes, 7)).toThrow('roiAlign: the boxes [1, 4]: need [K, 5]');
  expect(() => roiPool(rand([3, 8, 8]), [boxes], 7)).toThrow('roiPool: input [3, 8, 8]: needs [N, C, H, W]');
  expect(() => anchors([32, 32], [[4, 4]], { sizes: [8, 16] })).toThrow('anchors: 2 sizes for 1 maps.');
  expect(() => decodeBoxes(cat([boxes, boxes]), boxes)).toThrow('decodeBoxes: [2, 4] for anchors [1, 4]');
});
