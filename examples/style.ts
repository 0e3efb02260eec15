// A picture in the manner of another one: the picture is the parameter, and a network says how alike things and strokes are. With the weights of
// MobileNet-v2 as torchvision has them and two pictures: style.ts mobilenet_v2.pth photo.jpg painting.jpg. Without: a picture of shapes, stripes, and a
// network with random weights, whose filters are enough for strokes.
//   npm run build && node --experimental-strip-types examples/style.ts     (Node 22), or through any TypeScript runner

import { writeFileSync } from 'node:fs';
import { type Tensor, manualSeed, tensor } from 'nabla';
import { type HostImage, contactSheet, readImage, shapeScenes } from 'nabla/data';
import { functional } from 'nabla/data/transforms';
import { encodePng, loadWeights } from 'nabla/io';
import { mobilenetV2 } from 'nabla/models';
import { Conv2d, MaxPool2d, type Module, ReLU, Sequential } from 'nabla/nn';
import { type Pictures, transferStyle } from 'nabla/vision';

const [, , weights, photo, painting] = process.argv;
manualSeed(0);

/** Pictures with pixels from 0 to 1, and a network with the layers that are asked. */
interface Case {
  readonly picture: Pictures;
  readonly manner: Pictures;
  readonly run: (x: Pictures) => Tensor;
  readonly content: readonly Module[];
  readonly style: readonly Module[];
}

/** The middle of a picture file, 224 pixels each way. */
async function read(path: string): Promise<Pictures> {
  const square = functional.centerCrop(functional.resize(await readImage(path), 224), [224, 224]);
  return tensor(
    Float32Array.from(square.data, (byte) => byte / 255),
    { shape: [1, 3, 224, 224] },
  );
}

async function pretrained(files: readonly [weights: string, photo: string, painting: string]): Promise<Case> {
  const model = mobilenetV2();
  await loadWeights(model, files[0]);
  model.eval();
  const [mean, std] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ].map((three) => tensor(three).reshape([1, 3, 1, 1]));
  const { layers } = model.features;
  return {
    picture: await read(files[1]),
    manner: await read(files[2]),
    run: (x) => model.forward(x.sub(mean).div(std)),
    content: [layers[6]], //     maps of an eighth of the size
    style: layers.slice(0, 8), // from strokes to patterns
  };
}

function random(): Case {
  const size = 64;
  const blocks = [
    new Sequential(new Conv2d(3, 24, 5, { padding: 2 }), new ReLU()),
    new Sequential(new MaxPool2d(2), new Conv2d(24, 32, 3, { padding: 1 }), new ReLU()),
    new Sequential(new MaxPool2d(2), new Conv2d(32, 48, 3, { padding: 1 }), new ReLU()),
  ] as const;
  const stripes = Float32Array.from({ length: 3 * size * size }, (_, i) => {
    const [channel, row, column] = [Math.floor(i / size ** 2), Math.floor(i / size) % size, i % size];
    return 0.5 + 0.45 * Math.sin((row + column) * 0.8 + channel);
  });
  return {
    picture: shapeScenes({ samples: 1, size, objects: [3, 3], noise: 0, seed: 5 }).batch([0]).x,
    manner: tensor(stripes, { shape: [1, 3, size, size] }),
    run: (x) => blocks[2].forward(blocks[1].forward(blocks[0].forward(x))),
    content: [blocks[2]],
    style: blocks.slice(0, 2),
  };
}

const isGiven = weights !== undefined && photo !== undefined && painting !== undefined;
const { picture, manner, run, content, style } = isGiven ? await pretrained([weights, photo, painting]) : random();
const image = async (x: Pictures): Promise<HostImage> => ({
  data: Float32Array.from(await x.data()),
  shape: x.shape.slice(1),
});
const cells = [await image(picture), await image(manner)];
for (const styleWeight of [1, 10]) {
  const made = await transferStyle(run, picture, manner, { content, style, styleWeight, steps: isGiven ? 200 : 60 });
  const changed = await made.sub(picture).abs().mean().item();
  console.log(`style weight ${styleWeight}: pixels changed by ${changed.toFixed(3)} in the mean`);
  cells.push(await image(made));
}
const labels = ['picture', 'manner', 'style 1', 'style 10'];
writeFileSync('style.png', encodePng(contactSheet(cells, { columns: 4, labels, scale: isGiven ? 1 : 2 })));
console.log('style.png: the picture, the manner, and the picture in that manner, a little and more');
