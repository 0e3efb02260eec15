// `nabla train translate`: a text becomes another one. Without files, dates as people write them become ISO's ('the 3rd of March 1998' →
// '1998-03-03'); with `--set task=multi30k`, German sentences become English ones (the files are looked for in NABLA_DATA, see `multi30k`).
//
// The rate rises for `warmup` updates and falls with the inverse square root of their number (Vaswani et al. 2017); losses are in nats a token,
// without smoothing. From epoch `averageFrom` on, what is validated and kept is the mean of the weights of all updates. Settings were chosen by
// the validation loss; the test sentences are translated once, when a run is complete: BLEU is sacrebleu's.

import { BucketSampler, DataLoader } from '../../data/index.js';
import { Bleu } from '../../metrics/index.js';
import { Seq2SeqGRU, Seq2SeqTransformer } from '../../models/index.js';
import { crossEntropy } from '../../nn/index.js';
import { AdamW, inverseSqrtWarmup } from '../../optim/index.js';
import { defineRun } from '../../train/index.js';
import { reportTranslations } from './translation-report.js';
import { PAD, TASKS, WIDTH, datasetOf } from './translation-tasks.js';
import { type Translator, translate } from './translator.js';

interface Sizes {
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  readonly dropout: number;
  readonly contextLength: number;
}

/** The network of a name; sizes of a recurrent layer are twice those of a token. */
const MODELS: Readonly<Record<string, (sizes: Sizes) => Translator>> = {
  transformer: (sizes) => new Seq2SeqTransformer({ ...sizes, heads: 4 }),
  gru: ({ layers: _, ...sizes }) => new Seq2SeqGRU({ ...sizes, hidden: 2 * sizes.width }),
};

export default defineRun({
  name: 'translate',
  title: 'Learning to translate',
  settings: {
    task: 'dates',
    model: 'transformer',
    epochs: 20,
    lr: 0.004,
    batchSize: 64,
    width: 64,
    layers: 2,
    dropout: 0.1,
    labelSmoothing: 0.1,
    weightDecay: 0,
    warmup: 200,
    clipNorm: 1,
    vocabulary: 4000,
    averageFrom: 0,
    beams: 4,
  },
  choices: { model: Object.keys(MODELS), task: Object.keys(TASKS) },

  async create(settings) {
    const { epochs, lr, batchSize, seed, labelSmoothing, weightDecay, warmup, clipNorm, averageFrom, beams } = settings;
    const task = await TASKS[settings.task](settings.vocabulary);
    const { coder, contextLength, test } = task;
    const { width, layers, dropout } = settings;
    const model = MODELS[settings.model]({ vocabulary: coder.size, width, layers, dropout, contextLength });
    const [train, validation] = [
      datasetOf(task.train, task, { dropLong: true }),
      datasetOf(task.validation, task, { dropLong: false }),
    ];
    const [mixed, sorted] = [
      { batchSize, width: WIDTH, seed },
      { batchSize, width: WIDTH, shuffle: false },
    ];
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay, betas: [0.9, 0.98], eps: 1e-9 }),
      train: new DataLoader(train, { batchSize, sampler: new BucketSampler(train.lengths, mixed), seed }),
      validation: new DataLoader(validation, { batchSize, sampler: new BucketSampler(validation.lengths, sorted) }),
      test: {
        measures: { bleu: 'higher', bleuOfBeams: 'higher', exact: 'higher' },
        async evaluate() {
          const greedy = await translate(model, coder, test.source, 1);
          const best = await translate(model, coder, test.source, beams);
          const scoreOf = (texts: readonly string[]): number => {
            const bleu = new Bleu();
            bleu.update(texts, test.target);
            return bleu.compute().score;
          };
          const right = best.filter((text, i) => text === test.target[i]).length;
          return { bleu: scoreOf(greedy), bleuOfBeams: scoreOf(best), exact: right / best.length };
        },
      },
      forward(_, { x, y }) {
        const length = y.shape[1];
        const logits = model.forward(x, y.slice(1, 0, length - 1));
        const [scores, next] = [logits.reshape([-1, coder.size]), y.slice(1, 1, length).reshape([-1])];
        const reported = crossEntropy(scores, next, { ignoreIndex: PAD });
        return { loss: crossEntropy(scores, next, { ignoreIndex: PAD, labelSmoothing }), reported };
      },
      schedule: (step) => lr * Math.sqrt(warmup) * inverseSqrtWarmup(step, 1, warmup), // lr at its peak
      clipNorm,
      epochs,
      ...(averageFrom > 0 && { weightAverage: { from: averageFrom } }),
      classes: coder.size,
      report: (page) => reportTranslations(page, model, coder, test, beams),
    };
  },
});
