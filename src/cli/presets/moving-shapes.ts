// `nabla train moving-shapes`: the next pictures of a film in which shapes move and bounce, by layers of ConvLSTM. Films are made on the spot. It learns
// the next picture of every one that it has seen; the test is the second half of films of which it sees the first.

import { DataLoader, contactSheet, movingShapes } from '../../data/index.js';
import { noGrad } from '../../index.js';
import { encodePng } from '../../io/index.js';
import { FrameForecaster } from '../../models/index.js';
import { bceWithLogits, mseLoss } from '../../nn/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { type Page, defineRun } from '../../train/index.js';

const [FRAMES, GIVEN, SIZE] = [12, 6, 16];
const films = (samples: number, seed: number) => movingShapes({ samples, frames: FRAMES, size: SIZE, seed });
type Films = ReturnType<typeof films>;

export default defineRun({
  name: 'moving-shapes',
  title: 'Foretelling films of moving shapes (ConvLSTM)',
  settings: { epochs: 20, lr: 0.003, batchSize: 16, samples: 800, hidden: 24, layers: 2 },

  create({ epochs, lr, batchSize, samples, hidden, layers, seed }) {
    const [train, validation, test] = [films(samples, 0), films(100, 1), films(100, 2)];
    const model = new FrameForecaster({ hidden, layers });
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay: 1e-4 }),
      train: new DataLoader(train, { batchSize, shuffle: true, dropLast: true, seed }),
      validation: new DataLoader(validation, { batchSize: 50 }),
      test: { measures: { squaredError: 'lower', ofTheLastPicture: 'lower' }, evaluate: () => foretell(model, test) },
      forward: (_, { x }) => bceWithLogits(model.forward(x.slice(1, 0, FRAMES - 1)), x.slice(1, 1, FRAMES)),
      schedule: (step, total) => oneCycle(step, total, lr),
      clipNorm: 1,
      epochs,
      report: (page) => reportFilms(page, model, test),
    };
  },
});

/** Mean squared errors of what is foretold, and of the last picture that was seen, as if nothing moved. */
async function foretell(
  model: FrameForecaster,
  data: Films,
): Promise<{ squaredError: number; ofTheLastPicture: number }> {
  const { x } = data.batch(Array.from({ length: data.length }, (_, i) => i));
  const [seen, behind] = [x.slice(1, 0, GIVEN), x.slice(1, GIVEN, FRAMES)];
  const made = noGrad(() => model.forecast(seen, FRAMES - GIVEN));
  const still = x.slice(1, GIVEN - 1, GIVEN).expand(behind.shape);
  return {
    squaredError: await mseLoss(made, behind).item(),
    ofTheLastPicture: await mseLoss(still, behind).item(),
  };
}

const SHOWN = 4;

/** Two rows for each film: as it is, and what was foretold behind what was seen. */
async function reportFilms(page: Page, model: FrameForecaster, data: Films): Promise<void> {
  model.eval();
  const { squaredError, ofTheLastPicture } = await foretell(model, data);
  page.line(
    `Pictures ${GIVEN + 1} to ${FRAMES} foretold from the first ${GIVEN}: squared error ${squaredError.toFixed(4)}; if nothing moved, ${ofTheLastPicture.toFixed(4)}.`,
  );
  if (page.picture === undefined) return;
  const { x } = data.batch(Array.from({ length: SHOWN }, (_, i) => i));
  const made = noGrad(() => model.forecast(x.slice(1, 0, GIVEN), FRAMES - GIVEN));
  const [truth, guess] = [await x.data(), await made.data()];
  const area = SIZE * SIZE;
  const images = Array.from({ length: 2 * SHOWN * FRAMES }, (_, k) => {
    const [film, isGuess, t] = [Math.floor(k / (2 * FRAMES)), Math.floor(k / FRAMES) % 2 === 1, k % FRAMES];
    const own = isGuess && t >= GIVEN;
    const start = own ? (film * (FRAMES - GIVEN) + t - GIVEN) * area : (film * FRAMES + t) * area;
    return { data: Float32Array.from((own ? guess : truth).slice(start, start + area)), shape: [1, SIZE, SIZE] };
  });
  page.line();
  await page.picture('films.png', encodePng(contactSheet(images, { columns: FRAMES, scale: 3, gap: 3 })));
}
