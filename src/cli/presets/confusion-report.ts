// The end of a run on images of classes, for a person: how many are right, and which classes are taken for which.

import { drawConfusion, confusion } from '../draw.js';
import { classify } from '../predict/classify.js';
import type { Page } from '../../train/index.js';

/** A data set of images that are ready for the network. */
interface LabelledImages {
  column(name: 'x'): Float32Array;
  column(name: 'y'): Int32Array;
}

export async function reportConfusion(
  page: Page,
  model: Parameters<typeof classify>[0],
  images: LabelledImages,
  shape: readonly number[],
  names: readonly string[],
): Promise<void> {
  const labels = images.column('y');
  const { predictions, classes } = await classify(model, images.column('x'), shape);
  await page.confusion?.({
    truth: labels,
    predicted: predictions,
    classes: names,
    pictures: { data: images.column('x'), shape },
  });
  const right = predictions.filter((prediction, i) => prediction === labels[i]).length;
  page.line(`${right} of ${labels.length} images are classified correctly.`);
  page.line();
  page.line('Confusion matrix: a row is what the image shows, a column what the network said.');
  for (const line of drawConfusion(confusion(labels, predictions, classes), page.style)) page.line(line);
  if (names.some((name, i) => name !== String(i))) {
    page.line();
    page.line(`Classes: ${names.map((name, i) => `${i} ${name}`).join(', ')}`);
  }
}
