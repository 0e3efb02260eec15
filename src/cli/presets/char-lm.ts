// `nabla train char-lm`: a language model of the characters of a text, tiny Shakespeare unless another is named. The last tenth
// of the text is kept to validate; losses are in nats a character.

import {
  CharVocabulary,
  DataLoader,
  RandomSampler,
  TokenWindows,
  readText,
  tinyShakespeare,
} from '../../data/index.js';
import type { AnyTensor, Tensor } from '../../index.js';
import { CharLSTM, GPT } from '../../models/index.js';
import { type Module, crossEntropy } from '../../nn/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { type TextPredictor, defineRun } from '../../train/index.js';
import { generateText } from '../predict/text.js';

type LanguageModel = Module & { forward(x: AnyTensor): Tensor };

const MODELS: Readonly<Record<string, (vocabulary: number, context: number, dropout: number) => LanguageModel>> = {
  gpt: (vocabulary, context, dropout) => new GPT({ vocabulary, context, dropout }),
  lstm: (vocabulary, _, dropout) => new CharLSTM({ vocabulary, dropout }),
};

export default defineRun({
  name: 'char-lm',
  title: 'Training a language model of characters',
  settings: {
    model: 'gpt',
    text: '',
    epochs: 10,
    lr: 0.003,
    batchSize: 32,
    context: 64,
    dropout: 0,
    weightDecay: 0.1,
    clipNorm: 1,
  },
  choices: { model: Object.keys(MODELS) },

  async create({ model: name, text: path, epochs, lr, batchSize, context, dropout, weightDecay, clipNorm, seed }) {
    const text = path === '' ? await tinyShakespeare() : await readText(path);
    const vocabulary = CharVocabulary.of(text);
    const tokens = vocabulary.encode(text);
    const end = Math.floor(tokens.length * 0.9);
    // windows that begin anywhere, as many an epoch as it takes to read the text once
    const train = new TokenWindows(tokens.subarray(0, end), { length: context, stride: 1 });
    const numSamples = Math.max(Math.floor(end / context), 1);
    const model = MODELS[name](vocabulary.size, context, dropout);
    const predictor: TextPredictor = { kind: 'text', model, vocabulary: vocabulary.tokens.join(''), context };
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay, betas: [0.9, 0.99] }),
      train: new DataLoader(train, {
        batchSize,
        sampler: new RandomSampler(train, { seed, numSamples }),
        dropLast: numSamples >= batchSize,
        seed,
      }),
      validation: new DataLoader(new TokenWindows(tokens.subarray(end), { length: context }), { batchSize: 64 }),
      forward(_, { x, y }) {
        const logits = model.forward(x);
        return crossEntropy(logits.reshape([-1, vocabulary.size]), y.reshape([-1]));
      },
      schedule: (step, total) => oneCycle(step, total, lr, { warmup: 0.1 }),
      clipNorm,
      epochs,
      classes: vocabulary.size,
      facts: { vocabulary: vocabulary.tokens.join('') },
      async report(page) {
        let sample = '';
        for await (const part of generateText(predictor, { prompt: '\n', length: 300, temperature: 0.8, seed })) {
          sample += part;
        }
        page.line('A sample:');
        for (const line of sample.trim().split('\n')) page.line(`  ${line}`);
      },
    };
  },

  predictor({ model, context }, { vocabulary }) {
    const characters = String(vocabulary);
    return { kind: 'text', model: MODELS[model]([...characters].length, context, 0), vocabulary: characters, context };
  },
});
