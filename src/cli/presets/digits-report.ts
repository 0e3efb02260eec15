// The end of a run on digits, for a person: accuracy, confusion matrix, some mistakes drawn.

import type { Digits } from '../../data/index.js';
import type { Page } from '../../train/index.js';
import { type Picture, SIDE, confusion, drawConfusion, drawGallery } from '../draw.js';
import { classify } from '../predict/classify.js';

const SHOWN = 4;
const AREA = SIDE * SIDE;

export async function reportDigits(page: Page, model: Parameters<typeof classify>[0], images: Digits): Promise<void> {
  const pixels = images.column('x');
  const labels = images.column('y');
  const { predictions, probabilities, classes } = await classify(model, pixels, [1, SIDE, SIDE]);
  await page.confusion?.({
    truth: labels,
    predicted: predictions,
    classes: [...'0123456789'],
    pictures: { data: pixels, shape: [1, SIDE, SIDE] },
  });
  const wrong = [...labels.keys()].filter((i) => predictions[i] !== labels[i]);
  const right = labels.length - wrong.length;
  page.line(`${right} of ${labels.length} images are read correctly.`);
  page.line();
  page.line('Confusion matrix: a row is what the digit is, a column what the network said.');
  for (const line of drawConfusion(confusion(labels, predictions, classes), page.style)) page.line(line);
  if (wrong.length === 0) return;
  page.line();
  const shown = wrong.slice(0, SHOWN);
  page.line(
    wrong.length > shown.length
      ? `${shown.length} of the ${wrong.length} mistakes:`
      : wrong.length === 1
        ? 'The only mistake:'
        : 'The mistakes:',
  );
  page.line();
  const pictures = shown.map((i): Picture => {
    const sure = probabilities[i * classes + predictions[i]];
    return {
      pixels: pixels.slice(i * AREA, (i + 1) * AREA).map((share) => share * 16),
      caption: [`is ${labels[i]}, said ${predictions[i]}`, `${Math.round(sure * 100)} % sure`],
    };
  });
  for (const line of drawGallery(pictures, page.columns)) page.line(line);
}
