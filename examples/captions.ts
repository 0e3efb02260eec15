// Sentences about pictures: a small convolutional network looks, a decoder writes. Draws pictures with their captions, and where each word looks.
//   npm run build && node --experimental-strip-types examples/captions.ts

import { writeFileSync } from 'node:fs';
import { compile, manualSeed, noGrad, tensor } from 'nabla';
import { DataLoader, type HostImage, SequenceDataset, WordVocabulary, contactSheet, captionedScenes } from 'nabla/data';
import { encodePng } from 'nabla/io';
import { Captioner } from 'nabla/models';
import { crossEntropy } from 'nabla/nn';
import { AdamW, oneCycle } from 'nabla/optim';
import { generateBatch } from 'nabla/text';

const [SIZE, START, END] = [24, 1, 2];
const [train, test] = [
  captionedScenes({ samples: 2400, size: SIZE }),
  captionedScenes({ samples: 100, size: SIZE, seed: 1 }),
];
const vocabulary = WordVocabulary.of(train.captions, { specials: ['<pad>', '<s>', '</s>'] });
const y = train.captions.map((caption) => Int32Array.from([START, ...vocabulary.encode(caption), END]));
const x = { data: train.pictures.column('x'), shape: [3, SIZE, SIZE] as const };
const data = new SequenceDataset({ x, y }, { multipleOf: 10 });

manualSeed(0);
const model = new Captioner({ vocabulary: vocabulary.size, size: SIZE, decoder: 'gru', width: 48, dropout: 0 });
const optimizer = new AdamW(model.parameters(), { lr: 5e-3 });
type Batch = ReturnType<typeof data.batch>;
const step = compile(async (pictures: Batch['x'], captions: Batch['y']) => {
  optimizer.zeroGrad();
  const logits = model.forward(pictures, captions.slice(1, 0, 9)).reshape([-1, vocabulary.size]);
  const loss = crossEntropy(logits, captions.slice(1, 1, 10).reshape([-1]), { ignoreIndex: 0 });
  loss.backward();
  await optimizer.step();
  return loss;
});

const [epochs, batchSize] = [32, 50];
const total = epochs * Math.floor(data.length / batchSize);
let updates = 0;
for (let epoch = 1; epoch <= epochs; epoch++) {
  let last = 0;
  for await (const batch of new DataLoader(data, { batchSize, shuffle: true, dropLast: true })) {
    optimizer.groups[0].lr = oneCycle(updates++, total, 5e-3);
    last = await (await step(batch.x, batch.y)).item();
  }
  if (epoch % 8 === 0) console.log(`epoch ${epoch}: loss ${last.toFixed(3)}`);
}

model.eval();
const { x: unseen } = test.pictures.batch(Array.from({ length: 100 }, (_, i) => i));
const starts = test.captions.map(() => [START]);
const ids = await generateBatch(model.about(unseen), starts, { stop: [END], maxNewTokens: 10 });
const captions = ids.map((row) => vocabulary.decode(row));
const right = captions.filter((caption, i) => caption === test.captions[i]).length;
console.log(`${right} of 100 unseen pictures are described exactly right, such as: ${captions[0]}`);

// The pictures, each brightened where a word of its caption looks
const area = 3 * SIZE * SIZE;
const pixels = await unseen.data();
const images: HostImage[] = [];
const labels: string[] = [];
for (let i = 0; i < 4; i++) {
  const picture = pixels.slice(i * area, (i + 1) * area);
  const before = tensor(Int32Array.from([START, ...ids[i].slice(0, -1)])).unsqueeze(0);
  const [weights] = await noGrad(() => model.attention(unseen.slice(0, i, i + 1), before)).array();
  const shown = [
    { word: '', light: () => 1 },
    ...weights.map((places, t) => {
      const most = Math.max(...places.map((row) => Math.max(...row)));
      const light = (row: number, column: number) =>
        0.2 + (0.8 * places[Math.floor(row / 8)][Math.floor(column / 8)]) / most;
      return { word: vocabulary.tokenOf(ids[i][t]), light };
    }),
  ];
  for (let t = 0; t < 9; t++) {
    const { word, light } = shown[t] ?? { word: '', light: () => 0 };
    const lit = picture.map((value, at) => value * light(Math.floor(at / SIZE) % SIZE, at % SIZE));
    images.push({ data: Float32Array.from(lit), shape: [3, SIZE, SIZE] });
    labels.push(word);
  }
}
writeFileSync('captions.png', encodePng(contactSheet(images, { columns: 9, scale: 3, labels })));
console.log('captions.png: pictures, and where each word of their captions looks');
