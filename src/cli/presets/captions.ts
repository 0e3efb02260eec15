// `nabla train captions`: a sentence about a picture of two shapes, such as 'a red circle left of a blue square'. Pictures and captions are made on
// the spot; those that are validated and tested on are others than those that it learns from.

import { DataLoader, SequenceDataset, WordVocabulary, contactSheet, captionedScenes } from '../../data/index.js';
import { noGrad, tensor } from '../../index.js';
import { encodePng } from '../../io/index.js';
import { Captioner } from '../../models/index.js';
import { crossEntropy } from '../../nn/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { generateBatch } from '../../text/index.js';
import { type Page, defineRun } from '../../train/index.js';
import { positionsInTurn } from './positions.js';

const [PAD, START, END] = [0, 1, 2];
const SIZE = 32;

/** `count` pictures with captions, of which no other seed has one. */
function captioned(count: number, seed: number, vocabulary: WordVocabulary) {
  const { pictures, captions } = captionedScenes({ samples: count, size: SIZE, seed });
  const y = captions.map((caption) => Int32Array.from([START, ...vocabulary.encode(caption), END]));
  const picture = { data: pictures.column('x'), shape: [3, SIZE, SIZE] as const };
  return { captions, data: new SequenceDataset({ x: picture, y }, { padId: PAD, multipleOf: 10 }) };
}

type Captioned = ReturnType<typeof captioned>;

/** The most probable captions. */
async function describe(model: Captioner, vocabulary: WordVocabulary, data: Captioned['data']): Promise<string[]> {
  const found: string[] = [];
  for (const rows of positionsInTurn(data.length, 100)) {
    const { x } = data.batch(rows);
    const starts = rows.map(() => [START]);
    for (const ids of await generateBatch(model.about(x), starts, { stop: [END], maxNewTokens: 12 }))
      found.push(vocabulary.decode(ids));
  }
  return found;
}

export default defineRun({
  name: 'captions',
  title: 'Saying what is in a picture (generated shapes)',
  settings: { decoder: 'transformer', epochs: 20, lr: 0.003, batchSize: 64, samples: 4000, width: 64, dropout: 0.1 },
  choices: { decoder: ['transformer', 'gru'] },

  create({ decoder, epochs, lr, batchSize, samples, width, dropout, seed }) {
    const vocabulary = WordVocabulary.of(captionedScenes({ samples: 500, size: 16, seed: 3 }).captions, {
      specials: ['<pad>', '<s>', '</s>'],
    });
    const [train, validation, test] = [
      captioned(samples, 0, vocabulary),
      captioned(500, 1, vocabulary),
      captioned(500, 2, vocabulary),
    ];
    const model = new Captioner({
      vocabulary: vocabulary.size,
      size: SIZE,
      decoder: decoder === 'gru' ? 'gru' : 'transformer',
      width,
      dropout,
    });
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay: 0.01 }),
      train: new DataLoader(train.data, { batchSize, shuffle: true, dropLast: true, seed }),
      validation: new DataLoader(validation.data, { batchSize: 100 }),
      test: {
        measures: { exact: 'higher' },
        async evaluate() {
          const found = await describe(model, vocabulary, test.data);
          return { exact: found.filter((caption, i) => caption === test.captions[i]).length / found.length };
        },
      },
      forward(_, { x, y }) {
        const length = y.shape[1];
        const logits = model.forward(x, y.slice(1, 0, length - 1));
        const next = y.slice(1, 1, length).reshape([-1]);
        return crossEntropy(logits.reshape([-1, vocabulary.size]), next, { ignoreIndex: PAD });
      },
      schedule: (step, total) => oneCycle(step, total, lr),
      clipNorm: 1,
      epochs,
      classes: vocabulary.size,
      report: (page) => reportCaptions(page, model, vocabulary, test),
    };
  },
});

const SHOWN = 6;

async function reportCaptions(
  page: Page,
  model: Captioner,
  vocabulary: WordVocabulary,
  { data, captions }: Captioned,
): Promise<void> {
  model.eval();
  const some = data.subset(Array.from({ length: SHOWN }, (_, i) => i));
  const found = await describe(model, vocabulary, some);
  page.line('Pictures that it has not seen:');
  for (const [i, caption] of found.entries())
    page.line(`  ${caption}${caption === captions[i] ? '' : page.style.red(`   (is ${captions[i]})`)}`);
  if (page.picture === undefined) return;
  page.line();
  const looks = await Promise.all(found.map((caption, i) => lookingAt(model, vocabulary, some, i, caption)));
  const columns = looks.reduce((most, { images }) => Math.max(most, images.length), 0);
  const rows = looks.map(({ images, words }) => ({
    images: [...images, ...Array.from({ length: columns - images.length }, () => BLANK)],
    words: [...words, ...Array.from({ length: columns - words.length }, () => '')],
  }));
  const sheet = contactSheet(
    rows.flatMap(({ images }) => images),
    { columns, scale: 3, labels: rows.flatMap(({ words }) => words) },
  );
  await page.picture('captions.png', encodePng(sheet));
}

const BLANK = { data: new Float32Array(3 * SIZE * SIZE), shape: [3, SIZE, SIZE] };

/** The picture, and for each word of its caption the picture as bright as it is looked at. */
async function lookingAt(
  model: Captioner,
  vocabulary: WordVocabulary,
  data: Captioned['data'],
  i: number,
  caption: string,
) {
  const { x } = data.batch([i]);
  const ids = vocabulary.encode(caption);
  const before = tensor(Int32Array.from([START, ...ids.subarray(0, -1)])).unsqueeze(0);
  const [weights] = await noGrad(() => model.attention(x, before)).array();
  const pixels = await x.data();
  const images = weights.map((places) => {
    const flat = places.flat();
    const most = flat.reduce((a, b) => Math.max(a, b), 0);
    const side = places.length;
    const lit = Float32Array.from(pixels, (value, at) => {
      const [row, column] = [Math.floor((at % (SIZE * SIZE)) / SIZE), at % SIZE];
      const place = Math.floor((row * side) / SIZE) * side + Math.floor((column * side) / SIZE);
      return value * (0.25 + (0.75 * flat[place]) / most);
    });
    return { data: lit, shape: [3, SIZE, SIZE] };
  });
  return {
    images: [{ data: Float32Array.from(pixels), shape: [3, SIZE, SIZE] }, ...images],
    words: ['picture', ...caption.split(' ')],
  };
}
