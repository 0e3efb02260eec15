import { type Tensor, compile, manualSeed, noGrad, tensor, zeros } from 'nabla';
import { CharVocabulary, HostRandom } from 'nabla/data';
import { Embedding, LSTM, Linear, crossEntropy } from 'nabla/nn';
import { Adam, clipGradNorm_ } from 'nabla/optim';

export interface Settings {
  text: string;
  hidden: number;
  rate: number;
  temperature: number;
  steps: number;
  seed: number;
}

const LENGTH = 32;
const BATCH = 16;
const SAMPLE = 120;
/** Characters that it is asked about. */
const READ = 400;
const STEPS_A_FRAME = 15;

/** Trains an LSTM to say the next character of a text, and lets it write. */
export async function* run(settings: Settings) {
  const { text, hidden } = settings;
  if (text.length < LENGTH + 2) throw new Error(`Text: ${text.length} characters. Give at least ${LENGTH + 2}.`);
  manualSeed(settings.seed);
  const random = new HostRandom(settings.seed);
  const vocabulary = CharVocabulary.of(text);
  const ids = vocabulary.encode(text);
  const { size } = vocabulary;
  const embedding = new Embedding(size, 16);
  const lstm = new LSTM(16, hidden, { batchFirst: true });
  const head = new Linear(hidden, size);
  const parameters = [embedding, lstm, head].flatMap((m) => [...m.parameters()]);
  const optimizer = new Adam(parameters, { lr: settings.rate });
  const update = compile(async (x: Tensor<[number, number], 'int32'>, y: Tensor<[number], 'int32'>) => {
    optimizer.zeroGrad();
    const [outputs] = lstm.forward(embedding.forward(x));
    const loss: Tensor = crossEntropy(head.forward(outputs).reshape([BATCH * LENGTH, size]), y);
    loss.backward();
    clipGradNorm_(parameters, 1);
    await optimizer.step();
    return loss;
  });
  /** Reads one character after a state, and says how likely each is to be the next. */
  const say = compile(async (id: Tensor<[number, number], 'int32'>, h: Tensor, c: Tensor, temperature: Tensor) => {
    const [output, after] = noGrad(() => lstm.forward(embedding.forward(id), [h, c]));
    const logits: Tensor = noGrad(() => head.forward(output)).reshape([size]);
    const state: Tensor[] = after;
    const probabilities: Tensor = logits.div(temperature).softmax(0);
    return [probabilities, ...state];
  });
  const nothing: Tensor = zeros([1, 1, hidden]);
  const losses: number[] = [];
  for (let step = 0; ; step++) {
    if (step % STEPS_A_FRAME === 0 || step === settings.steps) {
      // How surprised it is by each character of the text, in bits: it reads them one by one.
      const surprise: number[] = [];
      let [h, c] = [nothing, nothing];
      for (let i = 0; i < Math.min(READ, ids.length - 1); i++) {
        const [probabilities, ...state] = await say(tensor([[ids[i]]], { dtype: 'int32' }), h, c, tensor(1));
        [h, c] = state;
        surprise.push(-Math.log2((await probabilities.data())[ids[i + 1]]));
      }
      // It writes: each character is drawn from its probabilities, and read as the next input.
      let [written, last] = ['', ids[0]];
      [h, c] = [nothing, nothing];
      for (let i = 0; i < SAMPLE; i++) {
        const [probabilities, ...state] = await say(
          tensor([[last]], { dtype: 'int32' }),
          h,
          c,
          tensor(settings.temperature),
        );
        [h, c] = state;
        let rest = random.uniform();
        last = (await probabilities.data()).findIndex((p) => (rest -= p) < 0);
        if (last < 0) last = size - 1;
        written += vocabulary.decode([last]);
      }
      yield {
        values: {
          step,
          'bits a character': surprise.reduce((a, b) => a + b, 0) / surprise.length,
          'it writes': written.slice(0, 40),
        },
        text,
        surprise,
        written,
        losses,
      };
      if (step === settings.steps) return;
    }
    for (const group of optimizer.groups) group.lr = settings.rate;
    const starts = Array.from({ length: BATCH }, () => random.below(ids.length - LENGTH));
    const x = Int32Array.from(starts.flatMap((s) => [...ids.subarray(s, s + LENGTH)]));
    const y = Int32Array.from(starts.flatMap((s) => [...ids.subarray(s + 1, s + LENGTH + 1)]));
    const loss = await update(tensor(x, { shape: [BATCH, LENGTH], dtype: 'int32' }), tensor(y, { dtype: 'int32' }));
    losses.push((await loss.item()) / Math.LN2);
  }
}
