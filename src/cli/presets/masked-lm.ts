// `nabla train masked-lm`: a small BERT is pre-trained. It is to say which words were hidden in messages (the SMS Spam Collection; the file is looked
// for in NABLA_DATA, see `smsSpam`) whose classes it is not told; `nabla train spam --model bert --set from=FOLDER` goes on from there. The
// messages that are tested there are not among those that it sees here.

import { BucketSampler, DataLoader } from '../../data/index.js';
import { noGrad, tensor } from '../../index.js';
import { Accuracy } from '../../metrics/index.js';
import { BertMaskedLM } from '../../models/index.js';
import { crossEntropy } from '../../nn/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { maskTokens } from '../../text/index.js';
import { type Page, defineRun } from '../../train/index.js';
import { CLS, MASK, MOST_TOKENS, bertSizes, messages, wordsOf } from './messages.js';

const EXAMPLES = ['see you at ? tonight', 'i ? you', 'call ? to claim your prize', 'what time are you ? home?'];

export default defineRun({
  name: 'masked-lm',
  title: 'Pre-training a small BERT on messages with hidden words',
  settings: {
    epochs: 30,
    lr: 0.002,
    batchSize: 64,
    weightDecay: 0.01,
    dropout: 0.1,
    minFrequency: 2,
    probability: 0.15,
  },

  async create({ epochs, lr, batchSize, weightDecay, dropout, minFrequency, probability, seed }) {
    const { train, validation, vocabulary } = await messages(minFrequency);
    const model = new BertMaskedLM(bertSizes(vocabulary.size, dropout));
    const masking = { maskId: MASK, vocabularySize: vocabulary.size, specialIds: [0, CLS], probability };
    const sampler = new BucketSampler(train.lengths, { batchSize, width: 16, seed });
    const inOrder = new BucketSampler(validation.lengths, { batchSize, width: 16, shuffle: false });
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay }),
      train: new DataLoader(train, { batchSize, sampler, seed }),
      validation: new DataLoader(validation, { batchSize, sampler: inOrder }),
      forward(_, { x }) {
        const { ids, labels } = maskTokens(x, masking);
        const logits = model.forward(ids, { attentionMask: x.ne(0) });
        const [output, target] = [logits.reshape([-1, vocabulary.size]), labels.reshape([-1])];
        return { loss: crossEntropy(output, target), output, target };
      },
      metrics: { accuracy: new Accuracy({ ignoreIndex: -100 }) },
      schedule: (step, total) => oneCycle(step, total, lr, { warmup: 0.1 }),
      clipNorm: 1,
      epochs,
      classes: vocabulary.size,
      report: (page) => reportGuesses(page, model, vocabulary),
    };
  },
});

const GUESSES = 5;

/** What it would put into gaps. */
async function reportGuesses(
  page: Page,
  model: BertMaskedLM,
  vocabulary: Awaited<ReturnType<typeof messages>>['vocabulary'],
): Promise<void> {
  model.eval();
  page.line('Words that it would put into the gaps:');
  page.line();
  for (const text of EXAMPLES) {
    const words = text.split('?', 1)[0];
    const gap = 1 + wordsOf(words).length;
    const rest = text.slice(words.length + 1);
    const ids = [CLS, ...vocabulary.encode(words), MASK, ...vocabulary.encode(rest)].slice(0, MOST_TOKENS);
    const row = tensor(Int32Array.from(ids)).unsqueeze(0);
    const { indices: best } = noGrad(() => model.forward(row).select(1, gap)).topk(GUESSES, 1);
    const found = Array.from(await best.data(), (id) => vocabulary.tokenOf(id));
    page.line(`  ${text.padEnd(34)} ${found.join(', ')}`);
  }
}
