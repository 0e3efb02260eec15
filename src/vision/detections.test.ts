// Boxes that detectors start from and give: torchvision's DefaultBoxGenerator (test/fixtures/detection.json, from tools/parity/detection.py), grids
// and distances, outputs of YOLO, and what is left of thousands of boxes.
import { beforeAll, expect, test } from 'vitest';
import { type Tensor, cat, checkGradient, manualSeed, rand, setDevice, stack, tensor, zeros } from 'nabla';
import {
  batchedNms,
  boxConvert,
  decodeYolo,
  defaultBoxes,
  type DefaultBoxOptions,
  distancesToBoxes,
  expectedDistances,
  gridPoints,
  selectDetections,
} from 'nabla/vision';
import fixture from '../../test/fixtures/detection.json' with { type: 'json' };
import { expectNear } from '../../test/support/pytorch.js';

beforeAll(() => setDevice('cpu'));

test('default boxes of single-shot detectors', async () => {
  for (const { image, maps, options, boxes } of fixture.defaults) {
    const [height, width] = image;
    const sizes = maps.map(([rows, columns]) => [rows, columns] as const);
    const made = defaultBoxes([height, width], sizes, options as DefaultBoxOptions);
    expect(made.shape).toEqual([boxes.length / 4, 4]);
    expectNear([...(await made.data())], boxes, JSON.stringify(options), 1e-4);
  }
  const squares = defaultBoxes([40, 80], [[1, 2]], { sizes: [[10, 16]] });
  expect(await squares.array()).toEqual([
    [15, 15, 25, 25],
    [12, 12, 28, 28],
    [55, 15, 65, 25],
    [52, 12, 68, 28],
  ]);
});

test('grids, distances and their distributions', async () => {
  const { points, strides } = gridPoints(
    [
      [2, 3],
      [1, 1],
    ],
    [8, 16],
  );
  expect(await points.array()).toEqual([
    [4, 4],
    [12, 4],
    [20, 4],
    [4, 12],
    [12, 12],
    [20, 12],
    [8, 8],
  ]);
  expect([...(await strides.data())]).toEqual([8, 8, 8, 8, 8, 8, 16]);
  const boxes = distancesToBoxes(points, zeros([2, 7, 4]).add(tensor([1, 2, 3, 4])));
  expect(boxes.shape).toEqual([2, 7, 4]);
  expect(await boxes.index(1, 6).array()).toEqual([7, 6, 11, 12]);
  const logits = zeros([1, 1, 12]);
  expect(await expectedDistances(logits, 3).array()).toEqual([[[1, 1, 1, 1]]]);
  const sure = tensor([[[0, 0, 400, 0, 400, 0, 400, 0, 0, 0, 400, 0]]]);
  expect(await expectedDistances(sure, 3).array()).toEqual([[[2, 1, 0, 1]]]);
  await checkGradient((t) => expectedDistances(t, 4).square().sum(), [rand([2, 16], { dtype: 'float64' })]);
});

test('outputs of YOLO, in both layouts', async () => {
  manualSeed(3);
  const centres = rand([1, 5, 4]).mul(50);
  const classes = rand([1, 5, 3]);
  const wanted = [...(await boxConvert(centres.select(0, 0), 'cxcywh', 'xyxy').data())];
  const newer = decodeYolo(cat([centres, classes], 2).transpose(1, 2));
  expectNear([...(await newer.boxes.data())], wanted, 'boxes');
  expect([...(await newer.scores.data())]).toEqual([...(await classes.data())]);
  const isThere = rand([1, 5, 1]);
  const older = decodeYolo(cat([centres, isThere, classes], 2), { layout: 'v5' });
  expectNear([...(await older.boxes.data())], wanted, 'boxes');
  expectNear([...(await older.scores.data())], [...(await classes.mul(isThere).data())], 'scores');
});

test('the boxes that are meant', async () => {
  manualSeed(1);
  const corner: Tensor = rand([60, 2]).mul(40);
  const boxes: Tensor = cat([corner, corner.add(rand([60, 2]).mul(20).add(4))], 1);
  const scores = rand([60, 3]);
  const found = await selectDetections(boxes, scores, {
    scoreThreshold: 0.4,
    background: 0,
    names: ['none', 'cat', 'dog'],
  });
  // the same by hand: each class on its own
  const [rows, values] = [(await boxes.array()) as number[][], (await scores.array()) as number[][]];
  const wanted: { index: number; score: number; box: number[] }[] = [];
  for (const index of [1, 2]) {
    const over = rows.map((_, i) => i).filter((i) => values[i][index] >= 0.4);
    const own = tensor(over.map((i) => rows[i]));
    const kept = await batchedNms(
      own,
      tensor(over.map((i) => values[i][index])),
      zeros([over.length], { dtype: 'int32' }),
      0.5,
    );
    for (const at of await kept.data()) wanted.push({ index, score: values[over[at]][index], box: rows[over[at]] });
  }
  wanted.sort((a, b) => b.score - a.score);
  expect(found.map(({ index, score, box }) => ({ index, score, box: [...box] }))).toEqual(wanted);
  expect(found[0].label).toBe(['none', 'cat', 'dog'][found[0].index]);
  const few = await selectDetections(boxes.unsqueeze(0), scores.unsqueeze(0), {
    scoreThreshold: 0.4,
    background: 0,
    maxDetections: 4,
  });
  expect(few).toEqual(found.slice(0, 4).map(({ index, ...rest }) => ({ ...rest, index, label: String(index) })));
  const own = await selectDetections(stack([boxes, boxes, boxes], 1), scores, { scoreThreshold: 0.4, background: 0 });
  expect(own.map(({ box }) => box)).toEqual(found.map(({ box }) => box));
  const across = await selectDetections(boxes, scores, { scoreThreshold: 0.4, acrossClasses: true });
  expect(across.length).toBeLessThan(found.length);
  expect(await selectDetections(boxes, scores.select(1, 0), { scoreThreshold: 2 })).toEqual([]);
});

test('what does not fit is said', async () => {
  const refused: [() => unknown, string][] = [
    [() => defaultBoxes([8, 8], [[2, 2]], {}), 'defaultBoxes: give aspectRatios or sizes, a list for each map.'],
    [
      () => defaultBoxes([8, 8], [[2, 2]], { sizes: [[4], [5]] }),
      'defaultBoxes: 2 lists of sizes for 1 maps. Give one for each.',
    ],
    [
      () => defaultBoxes([8, 8], [[2, 2]], { aspectRatios: [[0]] }),
      'defaultBoxes: aspectRatios are [0]. Use numbers above 0.',
    ],
    [
      () => defaultBoxes([8, 8], [[2, 2]], { aspectRatios: [[2]], scales: [1] }),
      'defaultBoxes: 1 scales for 1 maps. Give one more than there are maps.',
    ],
    [
      () => defaultBoxes([8, 8], [[2, 2]], { aspectRatios: [[2]], steps: [0] }),
      'defaultBoxes: steps are [0] for 1 maps. Give a number above 0 for each.',
    ],
    [
      () => gridPoints([[2, 2]], [8, 16]),
      'gridPoints: strides are [8, 16] for 1 maps. Give a number above 0 for each.',
    ],
    [
      () => distancesToBoxes(zeros([3, 2]), zeros([4, 4])),
      'distancesToBoxes: points [3, 2] and distances [4, 4]: need [A, 2] and [..., A, 4]',
    ],
    [() => expectedDistances(zeros([2, 60])), 'expectedDistances: logits [2, 60]: need [..., 64], 16 for each side'],
    [() => decodeYolo(zeros([1, 4, 9])), "decodeYolo: output [1, 4, 9]: needs [N, 4 + C, A] in the layout 'v8'"],
  ];
  for (const [call, message] of refused) expect(call).toThrow(message);
  const [boxes, scores] = [zeros([3, 4]), zeros([3, 2])];
  await expect(selectDetections(zeros([2, 4]), scores)).rejects.toThrow(
    'selectDetections: boxes [2, 4] and scores [3, 2]: need [A, 4] or [A, C, 4], and [A, C] or [A], of one image',
  );
  await expect(selectDetections(boxes, scores, { names: ['a'] })).rejects.toThrow(
    'selectDetections: 1 names for 2 classes.',
  );
  await expect(selectDetections(boxes, scores, { background: 2 })).rejects.toThrow(
    'background is 2, and there are 2 classes.',
  );
  await expect(selectDetections(boxes, scores, { iouThreshold: 2 })).rejects.toThrow(
    'iouThreshold is 2. Use a number from 0 to 1.',
  );
});
