// A classifier that was trained before and scores what is generated: the run of `nabla train mnist` or `nabla train digits`.

import { type Tensor, noGrad, tensor } from '../../../index.js';
import { type ClassScores, classScores } from '../../../metrics/index.js';
import type { Evaluation, ImagePredictor, Predictor, RunDefinition } from '../../../train/index.js';
import { CliError } from '../../errors.js';
import { classify } from '../../predict/classify.js';
import { readConfig } from '../../run-config.js';
import { weightsAt } from '../../run-folder.js';
import { chooseSettings } from '../../settings.js';
import { loadWeights } from '../../weights.js';
import digits from '../digits.js';
import mnist from '../mnist.js';

/** Scores pictures [N, C, H, W] from 0 to 1. */
export type Judge = (pictures: Tensor) => Promise<ClassScores>;

const RUNS: Readonly<Record<string, RunDefinition>> = { digits, mnist };

/** The judge in a run folder (or a file of weights in one); none for an empty path. `data` is the preset that it has to be a run of. */
export async function openJudge(path: string, data: string): Promise<Judge | undefined> {
  if (path === '') return undefined;
  const { folder, weights } = weightsAt(path);
  const { run, settings, facts } = readConfig(folder.config);
  if (run !== data)
    throw new CliError(
      `--set judge=${path}: this is a run of ${run}. Name a run of nabla train ${data}, which knows the classes.`,
    );
  const definition = RUNS[data];
  const chosen = chooseSettings(definition, settings, (name) => `${folder.config}, settings.${name}`);
  const predictor: Predictor | undefined = await definition.predictor?.(chosen as never, facts); // settings as they were checked
  if (predictor?.kind !== 'image') throw new CliError(`--set judge=${path}: ${run} classifies no pictures.`);
  await loadWeights(weights, predictor.model);
  return (pictures) => scoresBy(predictor, pictures);
}

async function scoresBy(predictor: ImagePredictor, pictures: Tensor): Promise<ClassScores> {
  const pixels = Float32Array.from(await pictures.data());
  predictor.prepare?.(pixels);
  const { classes, probabilities } = await classify(predictor.model, pixels, predictor.shape);
  return await classScores(tensor(probabilities, { shape: [probabilities.length / classes, classes] }));
}

/** What of the scores is written down, and which way it is better. */
const MEASURES = { sure: 'higher', classes: 'higher', score: 'higher' } as const;

/** For `validation` and `test` of a run: new pictures by `sample`, scored; nothing where there is no judge. `look` is called before. */
export function judged(
  judge: Judge | undefined,
  sample: () => Tensor | Promise<Tensor>,
  look?: () => Promise<void>,
): Evaluation {
  return {
    measures: judge === undefined ? {} : MEASURES,
    async evaluate(): Promise<Readonly<Record<string, number>>> {
      await look?.();
      if (judge === undefined) return {};
      const { sure, classes, score } = await judge(await noGrad(sample));
      return { sure, classes, score };
    },
  };
}
