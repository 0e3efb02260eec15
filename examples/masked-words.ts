// Pre-training: a small BERT learns from sentences whose words are hidden, then the topic of sentences from 10 whose topic is known; beside it the
// same network from nothing. A sentence has more words of its topic than others, and nothing in a word says which topic it belongs to.
//   npm run build && node --experimental-strip-types examples/masked-words.ts

import { compile, manualSeed, noGrad } from 'nabla';
import { DataLoader, HostRandom, SequenceDataset } from 'nabla/data';
import { BertClassifier, BertMaskedLM } from 'nabla/models';
import { crossEntropy } from 'nabla/nn';
import { AdamW, oneCycle } from 'nabla/optim';
import { maskTokens } from 'nabla/text';

const [CLS, MASK, FIRST] = [1, 2, 3]; // 0 is padding
const [TOPICS, WORDS] = [5, 12]; // words of each topic
const vocabSize = FIRST + TOPICS * WORDS;
const random = new HostRandom(3);

function sentences(count: number) {
  const topics = Int32Array.from({ length: count }, (_, i) => i % TOPICS);
  const x = Array.from(topics, (topic) => {
    const word = (of: number) => FIRST + TOPICS * random.below(WORDS) + of;
    const own = Array.from({ length: 5 }, () => word(topic));
    const others = Array.from({ length: 2 }, () => word(random.below(TOPICS)));
    return Int32Array.from([CLS, ...random.shuffle(Int32Array.from([...own, ...others]))]);
  });
  return new SequenceDataset({ x, y: { data: topics, shape: [] } });
}

const [unlabelled, labelled, test] = [sentences(2000), sentences(10), sentences(500)];
const sizes = {
  vocabSize,
  hiddenSize: 48,
  numHiddenLayers: 1,
  numAttentionHeads: 4,
  intermediateSize: 96,
  maxPositionEmbeddings: 8,
  hiddenDropoutProb: 0,
  attentionProbsDropoutProb: 0,
};
manualSeed(0);

// 1. Pre-training: what were the hidden words?
const bert = new BertMaskedLM(sizes);
const optimizer = new AdamW(bert.parameters(), { lr: 4e-3 });
type Ids = ReturnType<typeof test.batch>['x'];
const step = compile(async (x: Ids) => {
  optimizer.zeroGrad();
  const { ids, labels } = maskTokens(x, { maskId: MASK, vocabularySize: vocabSize, specialIds: [0, CLS] });
  const loss = crossEntropy(bert.forward(ids).reshape([-1, vocabSize]), labels.reshape([-1]));
  loss.backward();
  await optimizer.step();
  return loss;
});
const [epochs, batchSize] = [24, 100];
let updates = 0;
for (let epoch = 1; epoch <= epochs; epoch++) {
  let sum = 0;
  for await (const { x } of new DataLoader(unlabelled, { batchSize, shuffle: true })) {
    optimizer.groups[0].lr = oneCycle(updates++, (epochs * unlabelled.length) / batchSize, 4e-3);
    sum += (await (await step(x)).item()) * batchSize;
  }
  if (epoch % 8 === 0) console.log(`pre-training, epoch ${epoch}: loss ${(sum / unlabelled.length).toFixed(3)}`);
}
console.log(`a word of any kind would cost ln ${TOPICS * WORDS} = ${Math.log(TOPICS * WORDS).toFixed(3)}`);

// 2. Fine-tuning on few sentences, with these weights and without
const all = (data: typeof test) => data.batch(Array.from({ length: data.length }, (_, i) => i));
const [few, unseen] = [all(labelled), all(test)];
for (const start of ['pre-trained', 'from nothing']) {
  const model = new BertClassifier({ ...sizes, numLabels: TOPICS });
  if (start === 'pre-trained') model.bert.loadStateDict(bert.bert.stateDict(), { strict: false }); // the pooler is new
  const adam = new AdamW(model.parameters(), { lr: 2e-3 });
  const learn = compile(async () => {
    adam.zeroGrad();
    const loss = crossEntropy(model.forward(few.x), few.y);
    loss.backward();
    await adam.step();
    return loss;
  });
  for (let i = 0; i < 60; i++) await learn();
  model.eval();
  const right = noGrad(() => model.forward(unseen.x).argmax(1).eq(unseen.y).to('float32').mean());
  console.log(`${start}: ${(100 * (await right.item())).toFixed(1)} % of unseen sentences`);
}

// 3. Words of one topic have come to lie near each other
const table = bert.bert.embeddings.wordEmbeddings.weight.detach().slice(0, FIRST, vocabSize);
const unit = table.div(table.square().sum(1, { keepdim: true }).sqrt());
const likeness = await unit.matmul(unit.transpose(0, 1)).array();
const alike = likeness.map((row, i) => {
  const others = row.map((value, j) => ({ value, j })).filter(({ j }) => j !== i);
  return others.reduce((best, other) => (other.value > best.value ? other : best)).j % TOPICS === i % TOPICS;
});
console.log(`nearest word is of the same topic for ${alike.filter(Boolean).length} of ${alike.length} words`);
