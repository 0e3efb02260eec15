// Messages that are spam, or not, told by an LSTM: texts of several lengths, padded and masked. Without the SMS Spam Collection the messages are
// made up here.
//   npm run build && node --experimental-strip-types examples/spam.ts [folder with sms_spam.csv]

import { manualSeed, noGrad, tensor } from 'nabla';
import {
  BucketSampler,
  DataLoader,
  HostRandom,
  SequenceDataset,
  WordVocabulary,
  smsSpam,
  splitIndices,
  tokenizeWords,
} from 'nabla/data';
import { F1 } from 'nabla/metrics';
import { LSTMClassifier } from 'nabla/models';
import { crossEntropy } from 'nabla/nn';
import { AdamW } from 'nabla/optim';

manualSeed(0);

/** Sentences of a small grammar: the words are those of both kinds, what counts is how they are put together. */
function madeUp(count: number): { texts: string[]; labels: Int32Array } {
  const random = new HostRandom(1);
  const pick = (words: string): string => words.split('|')[random.below(words.split('|').length)];
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const texts = Array.from(labels, (isSpam) => {
    const filler = Array.from({ length: random.below(8) }, () =>
      pick('please|now|today|we|you|the|a|call|prize|money|and'),
    );
    const core = isSpam === 1 ? pick('claim your|win a free|urgent call') : pick('your claim|a free win|call urgent');
    filler.splice(random.below(filler.length + 1), 0, core);
    return filler.join(' ');
  });
  return { texts, labels };
}

const [, , folder] = process.argv;
const { texts, labels } = folder === undefined || !/[./]/.test(folder) ? madeUp(900) : await smsSpam({ folder });
const [train, test] = splitIndices(texts.length, [0.8, 0.2], { classes: labels });

// digits are all alike, so that numbers of telephones are known by their length
const words = (text: string): string[] => tokenizeWords(text.replace(/\d/g, '0'));
const known = Array.from(train, (i) => texts[i]);
const vocabulary = WordVocabulary.of(known, { minFrequency: 2, specials: ['<pad>', '<unk>'], tokenize: words });
const x = texts.map((text) => vocabulary.encode(text).slice(0, 64));
const all = new SequenceDataset({ x, y: { data: labels, shape: [] } }, { multipleOf: 16 });
const [seen, unseen] = [all.subset(train), all.subset(test)];
console.log(`${seen.length} messages to learn from, ${vocabulary.size} words`);

const model = new LSTMClassifier({ vocabulary: vocabulary.size, classes: 2 });
const optimizer = new AdamW(model.parameters(), { lr: 3e-3 });
const batchSize = 32;
// messages of like length are in one batch: little is padding
const loader = new DataLoader(seen, { batchSize, sampler: new BucketSampler(seen.lengths, { batchSize, width: 16 }) });
for (let epoch = 1; epoch <= 4; epoch++) {
  model.train();
  for await (const batch of loader) {
    optimizer.zeroGrad();
    crossEntropy(model.forward(batch.x), batch.y).backward();
    await optimizer.step();
  }
  model.eval();
  const f1 = new F1();
  for await (const batch of new DataLoader(unseen, { batchSize: 60 }))
    f1.update(
      noGrad(() => model.forward(batch.x)),
      batch.y,
    );
  console.log(`epoch ${epoch}: F1 on unseen messages ${(await f1.compute()).toFixed(3)}`);
}

// Padding changes nothing: a message alone, and with 20 more places behind it
const [message] = x;
const padded = Int32Array.from({ length: message.length + 20 }, (_, t) => message[t] ?? 0);
const [alone, behind] = [message, padded].map((ids) => noGrad(() => model.forward(tensor(ids).unsqueeze(0))));
console.log(`padding moves the logits by ${(await alone.sub(behind).abs().amax().item()).toExponential(0)}`);
