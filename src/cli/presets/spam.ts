// `nabla train spam`: short messages, spam or not (the SMS Spam Collection; the file is looked for in NABLA_DATA, see `smsSpam`), by an LSTM, a small
// Transformer, or a BERT: `--model bert --set from=FOLDER` begins with what `nabla train masked-lm` left in that run folder. With
// `--set labelled=100` it learns from so many messages alone.
//
// The weights of the epoch with the best F1 on the messages to validate are kept and tested.

import { join } from 'node:path';
import { BucketSampler, DataLoader } from '../../data/index.js';
import { type Tensor, noGrad } from '../../index.js';
import { loadWeights } from '../../io/index.js';
import { F1, Precision, Recall } from '../../metrics/index.js';
import { BertClassifier, LSTMClassifier, TransformerClassifier } from '../../models/index.js';
import { Module, crossEntropy } from '../../nn/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { type Page, defineRun } from '../../train/index.js';
import { CliError } from '../errors.js';
import { type Messages, bertSizes, messages } from './messages.js';
import { positionsInTurn } from './positions.js';

type Ids = Tensor<[number, number], 'int32'>;
type Classifier = Module & { forward(ids: Ids): Tensor };

/** A BERT that sees by itself what is padding. */
class MessageBert extends Module {
  readonly net: BertClassifier;

  constructor(vocabulary: number, dropout: number) {
    super();
    this.net = new BertClassifier(bertSizes(vocabulary, dropout));
  }

  forward(ids: Ids): Tensor {
    return this.net.forward(ids, { attentionMask: ids.ne(0) });
  }
}

const MODELS: Readonly<Record<string, (vocabulary: number, dropout: number) => Classifier>> = {
  lstm: (vocabulary, dropout) => new LSTMClassifier({ vocabulary, classes: 2, dropout }),
  transformer: (vocabulary, dropout) => new TransformerClassifier({ vocabulary, classes: 2, dropout }),
  bert: (vocabulary, dropout) => new MessageBert(vocabulary, dropout),
};

export default defineRun({
  name: 'spam',
  title: 'Telling spam from messages (SMS Spam Collection)',
  settings: {
    model: 'lstm',
    epochs: 8,
    lr: 0.003,
    batchSize: 32,
    weightDecay: 0.01,
    dropout: 0.3,
    minFrequency: 2,
    labelled: 0,
    from: '',
  },
  choices: { model: Object.keys(MODELS) },

  async create({ model: name, epochs, lr, batchSize, weightDecay, dropout, minFrequency, labelled, from, seed }) {
    const { train: all, validation, test, testTexts, vocabulary } = await messages(minFrequency);
    const train = labelled > 0 ? all.subset(Array.from({ length: Math.min(labelled, all.length) }, (_, i) => i)) : all;
    const model = MODELS[name](vocabulary.size, dropout);
    if (from !== '') {
      if (!(model instanceof MessageBert)) throw new CliError(`from=${from}: only the model bert begins with weights.`);
      // the layer over the first token is new
      await loadWeights(model.net.bert, join(from, 'weights.safetensors'), { prefix: 'bert', strict: false });
    }
    const evaluated = (data: Messages) =>
      new DataLoader(data, {
        batchSize: 64,
        sampler: new BucketSampler(data.lengths, { batchSize: 64, width: 16, shuffle: false }),
      });
    const sampler = new BucketSampler(train.lengths, { batchSize, width: 16, seed });
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay }),
      train: new DataLoader(train, { batchSize, sampler, seed }),
      validation: evaluated(validation),
      test: evaluated(test),
      forward(_, { x, y }) {
        const output = model.forward(x);
        return { loss: crossEntropy(output, y), output, target: y };
      },
      metrics: { f1: new F1(), precision: new Precision(), recall: new Recall() },
      schedule: (step, total) => oneCycle(step, total, lr),
      checkpoint: { monitor: 'f1' },
      restoreBest: true,
      clipNorm: 1,
      epochs,
      classes: 2,
      report: (page) => reportMistakes(page, model, test, testTexts),
    };
  },
});

const SHOWN = 6;

/** The messages that are taken for what they are not. */
async function reportMistakes(page: Page, model: Classifier, data: Messages, texts: readonly string[]): Promise<void> {
  model.eval();
  const wrong: string[] = [];
  for (const rows of positionsInTurn(data.length, 64)) {
    const { x, y } = data.batch(rows);
    const [said, truth] = [await noGrad(() => model.forward(x).argmax(1)).data(), await y.data()];
    rows.forEach((row, i) => {
      if (said[i] === truth[i]) return;
      wrong.push(`${truth[i] === 1 ? 'spam that got through' : 'taken for spam'}: ${texts[row]}`);
    });
  }
  page.line(`${data.length - wrong.length} of ${data.length} messages are told right.`);
  if (wrong.length > 0) page.line();
  for (const line of wrong.slice(0, SHOWN)) page.line(`  ${line.replaceAll(/\s+/g, ' ').slice(0, page.columns - 4)}`);
}
