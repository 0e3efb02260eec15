// Pictures in a frame and boxes back in the picture, against OpenCV and Ultralytics' rules (test/fixtures/letterbox.json, from
// tools/parity/letterbox.py).
import { beforeAll, expect, test } from 'vitest';
import { setDevice, tensor } from 'nabla';
import { type PreprocessingOptions, imagePreprocessing, pictureBoxes } from 'nabla/vision';
import fixture from '../../../test/fixtures/letterbox.json' with { type: 'json' };

beforeAll(() => setDevice('cpu'));

/** As tools/parity/letterbox.py makes them. */
function picture(height: number, width: number): { readonly data: Uint8Array; readonly shape: readonly number[] } {
  let seed = height * 1000 + width;
  const data = new Uint8Array(3 * height * width);
  for (let at = 0; at < data.length; at++) {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    const wave = ((at % width) * 5 + Math.floor(at / width) * 3) % 256;
    data[at] = (wave + ((seed >> 16) % 64)) % 256;
  }
  return { data, shape: [3, height, width] };
}

type Pair = readonly [number, number];

test('pixels and boxes are those of YOLOs', async () => {
  for (const { size, frame, place, some, back } of fixture.rows) {
    const letterbox: Pair = [frame[0], frame[1]];
    const letterboxPlace = place === 'corner' ? 'corner' : 'middle';
    const preprocess = imagePreprocessing('yolo', { letterbox, letterboxPlace, rescale: 1 });
    const x = await preprocess(picture(size[0], size[1]));
    expect(x.shape).toEqual([1, 3, ...frame]);
    const data = await x.data();
    const far = some.filter((value, i) => Math.abs(data[i * fixture.every] - value) > 1); // OpenCV's weights have 11 bits
    expect(far).toEqual([]);
    const boxes = pictureBoxes(tensor(fixture.boxes), preprocess, [size[0], size[1]]);
    const numbers = [...(await boxes.data())];
    for (const [i, value] of back.flat().entries()) expect(numbers[i]).toBeCloseTo(value, 4);
  }
});

test('boxes behind another size and a crop, as tensors and as detections', async () => {
  const found = [{ label: 'cat', index: 0, score: 0.5, box: [10, 20, 30, 40] as const }];
  const cases: readonly (readonly [PreprocessingOptions, Pair, readonly number[]])[] = [
    [{ resize: [100, 50] }, [200, 200], [40, 40, 120, 80]],
    [{ resize: 100, crop: 80 }, [200, 400], [140, 60, 180, 100]], // of 100×200 the rows from 10, the columns from 60 on
    [{ crop: [40, 40], cropRounding: 'down' }, [61, 20], [0, 30, 20, 50]],
    [{}, [25, 25], [10, 20, 25, 25]],
  ];
  for (const [options, size, wanted] of cases) {
    const preprocess = imagePreprocessing(options);
    const [one] = pictureBoxes(found, preprocess, size);
    const box = await pictureBoxes(tensor([[found[0].box]]), preprocess, size).data();
    expect([options, ...one.box]).toEqual([options, ...wanted]);
    expect([options, ...box]).toEqual([options, ...wanted]);
    expect(one).toMatchObject({ label: 'cat', index: 0, score: 0.5 });
  }
});

test('a frame in a colour, floats, grey', async () => {
  const white = { data: new Float32Array(12).fill(1), shape: [3, 2, 2] };
  const x = await imagePreprocessing({ letterbox: [2, 4], letterboxFill: [255, 0, 51], layout: 'chw' })(white);
  expect((await x.array())[0].map((plane: number[][]) => plane[0].map((v) => Math.round(v * 1000) / 1000))).toEqual([
    [1, 1, 1, 1],
    [0, 1, 1, 0],
    [0.2, 1, 1, 0.2],
  ]);
  const grey = await imagePreprocessing({
    letterbox: 4,
    channels: 1,
    rescale: 1,
    letterboxPlace: 'corner',
    layout: 'chw',
  })({
    data: new Uint8Array(6).fill(7),
    shape: [1, 2, 3],
  });
  expect((await grey.array())[0][0]).toEqual([
    [7, 7, 7, 7],
    [7, 7, 7, 7],
    [7, 7, 7, 7],
    [114, 114, 114, 114],
  ]);
});

test('what does not fit is a sentence', () => {
  const preprocess = imagePreprocessing('yolo');
  const wrong: readonly (readonly [() => unknown, string])[] = [
    [() => imagePreprocessing('imagenet', { letterbox: 640 }), 'letterbox is 640, and resize 256'],
    [() => imagePreprocessing({ crop: 20, letterbox: 640 }), 'letterbox is 640, and crop 20'],
    [() => imagePreprocessing({ letterbox: 0 }), 'imagePreprocessing: letterbox is 0.'],
    [
      () => imagePreprocessing({ letterbox: 64, letterboxFill: 300 }),
      'letterboxFill is 300. Use numbers from 0 to 255.',
    ],
    [() => imagePreprocessing({ letterbox: 64, letterboxFill: [1, 2] as never }), 'letterboxFill has 2 numbers'],
    [() => imagePreprocessing({ letterboxPlace: 'left' as never }), "letterboxPlace is 'left'"],
    [() => pictureBoxes(tensor([1, 2, 3]), preprocess, [4, 4]), 'pictureBoxes: boxes [3]: need [..., 4]'],
    [() => pictureBoxes([], preprocess, [4] as never), 'pictureBoxes: pictureSize is'],
    [() => pictureBoxes([], 'yolo' as never, [4, 4]), "pictureBoxes: the preprocessing is 'yolo'"],
    [() => pictureBoxes(4 as never, preprocess, [4, 4]), 'pictureBoxes: the detections'],
  ];
  for (const [call, message] of wrong) expect(call).toThrow(message);
});
