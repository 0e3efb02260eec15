// Sequence to sequence: dates as people write them become ISO's, by recurrent units with attention and by a Transformer, greedily and by beams.
// Draws where each character of the answer looks.
//   npm run build && node --experimental-strip-types examples/translate.ts

import { writeFileSync } from 'node:fs';
import { compile, manualSeed, noGrad, tensor } from 'nabla';
import { CharVocabulary, DataLoader, SequenceDataset, dates } from 'nabla/data';
import { Bleu } from 'nabla/metrics';
import { Seq2SeqGRU, Seq2SeqTransformer } from 'nabla/models';
import { crossEntropy } from 'nabla/nn';
import { AdamW, inverseSqrtWarmup } from 'nabla/optim';
import { generateBatch } from 'nabla/text';
import { heatMapSvg } from 'nabla/train';

const [START, END, FIRST] = [1, 2, 3]; // 0 is padding, characters have the numbers from 3 on
const [train, test] = [dates({ samples: 2000, seed: 0 }), dates({ samples: 60, seed: 1 })];
const characters = CharVocabulary.of([...train.source, ...train.target, ...test.source].join(''));
const encode = (text: string): number[] => Array.from(characters.encode(text), (id) => id + FIRST);
const decode = (ids: readonly number[]): string =>
  characters.decode(ids.filter((id) => id >= FIRST).map((id) => id - FIRST));
const data = new SequenceDataset(
  {
    x: train.source.map((text) => Int32Array.from([...encode(text), END])),
    y: train.target.map((text) => Int32Array.from([START, ...encode(text), END])),
  },
  { multipleOf: 32 }, // one size for all batches
);

const vocabulary = characters.size + FIRST;
manualSeed(0);
const models = {
  gru: new Seq2SeqGRU({ vocabulary, width: 32, hidden: 64, contextLength: 32 }),
  transformer: new Seq2SeqTransformer({ vocabulary, width: 64, layers: 1, contextLength: 32, dropout: 0 }),
};

for (const [name, model] of Object.entries(models)) {
  const [peak, warmup, epochs] = [8e-3, 60, name === 'gru' ? 14 : 30];
  const optimizer = new AdamW(model.parameters(), { lr: peak, betas: [0.9, 0.98], weightDecay: 0 });
  const step = compile(async (x: Parameters<typeof model.forward>[0], y: typeof x) => {
    optimizer.zeroGrad();
    const logits = model.forward(x, y.slice(1, 0, 12)).reshape([-1, vocabulary]);
    const loss = crossEntropy(logits, y.slice(1, 1, 13).reshape([-1]), { ignoreIndex: 0, labelSmoothing: 0.05 });
    loss.backward();
    await optimizer.step();
    return loss;
  });
  let updates = 0;
  for (let epoch = 0; epoch < epochs; epoch++)
    for await (const { x, y } of new DataLoader(data, { batchSize: 50, shuffle: true, dropLast: true })) {
      optimizer.groups[0].lr = peak * Math.sqrt(warmup) * inverseSqrtWarmup(updates++, 1, warmup);
      await step(x, y);
    }

  model.eval();
  const sources = test.source.map((text) => [...encode(text), END]);
  for (const numBeams of [1, 4]) {
    const answers = (await generateBatch(model, sources, { stop: [END], numBeams, maxNewTokens: 14 })).map(decode);
    const right = answers.filter((answer, i) => answer === test.target[i]).length;
    const bleu = new Bleu({ tokenize: 'char' });
    bleu.update(answers, test.target);
    const percent = Math.round((100 * right) / answers.length);
    console.log(
      `${name}, ${numBeams} beam(s): ${percent} % right, BLEU of characters ${bleu.compute().score.toFixed(1)}`,
    );
    if (numBeams === 1) console.log(`  ${test.source[0]} → ${answers[0]}`);
  }

  const answer = encode(test.target[0]);
  const [source, before] = [sources[0], [START, ...answer]].map((ids) => tensor(Int32Array.from(ids)).unsqueeze(0));
  const [weights] = await noGrad(() => model.attention(source, before)).array();
  const [rows, columns] = [
    [...test.target[0], 'end'],
    [...test.source[0], 'end'],
  ];
  const file = `attention-${name}.svg`;
  writeFileSync(file, heatMapSvg(weights, { rows, columns, title: `where the ${name} looks` }));
  console.log(`  ${file}: a row for each character that it writes`);
}
