// The network of a run folder, as its definition says how it is used.

import { existsSync } from 'node:fs';
import type { ImagePredictor, Predictor } from '../../train/index.js';
import { CliError } from '../errors.js';
import { invertForeign } from '../predict/background.js';
import { readImageFile } from '../predict/image-files.js';
import { formatOf } from '../predict/images.js';
import { waitFor } from '../pending.js';
import { weightsAt } from '../run-folder.js';
import { type TrainedRun, openRun } from '../trained-run.js';
import { loadWeights } from '../weights.js';
import type { Network, NetworkOptions, PictureInput } from './network.js';

/** How a run's model is used, if its definition says it; its weights are not loaded yet. */
export function predictorOf({ definition, settings, config }: TrainedRun): Promise<Predictor | undefined> {
  // As with createPlan: of which settings there are, only the definition's own file knows.
  return waitFor(`the predictor of ${definition.name}`, definition.predictor?.(settings as never, config.facts));
}

/** The same for commands that cannot do without. Throws CliError for a run that does not say it. */
export async function openPredictor(run: TrainedRun): Promise<Predictor> {
  const predictor = await predictorOf(run);
  if (predictor !== undefined) return predictor;
  throw new CliError(`${run.definition.name} does not say how to use its model. Try nabla predict --test.`);
}

export async function openRunNetwork(source: string, options: NetworkOptions): Promise<Network> {
  const { folder, weights } = weightsAt(source);
  if (!existsSync(weights)) throw new CliError(`${weights} is not there.`);
  const run = await openRun(folder, options);
  const predictor = await openPredictor(run);
  await loadWeights(weights, predictor.model);
  const common = { what: `${run.definition.name}, weights from ${weights}`, module: predictor.model.eval() };
  switch (predictor.kind) {
    case 'image':
      return {
        ...common,
        inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', ...predictor.shape] }],
        classes: predictor.classes,
        picture: pictureOf(predictor),
      };
    case 'text':
      return {
        ...common,
        inputs: [{ name: 'input', dtype: 'int32', shape: ['batch', 'length'] }],
        characters: [...predictor.vocabulary],
        predicts: 'next',
      };
    case 'table': {
      const { width, classes } = predictor.encoder;
      return {
        ...common,
        inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', width] }],
        ...(classes.length > 0 && { classes }),
      };
    }
  }
}

/** As `nabla predict` reads pictures. */
function pictureOf(predictor: ImagePredictor): PictureInput {
  const { shape, background, prepare } = predictor;
  return {
    shape,
    async read(path) {
      const images = await readImageFile(path, formatOf(predictor));
      if (images?.count !== 1) throw new CliError(`${path} is no picture. Name a file such as photo.png.`);
      const pixels = images.pixels.slice();
      if (background !== undefined) invertForeign(pixels, shape, background);
      prepare?.(pixels);
      return pixels;
    },
  };
}
