import { type Tensor, compile, manualSeed, noGrad, tensor } from 'nabla';
import { CharVocabulary, HostRandom } from 'nabla/data';
import { Embedding, LSTM, Linear, crossEntropy } from 'nabla/nn';
import { Adam } from 'nabla/optim';

export interface Settings {
  /** What it reads: letters a to c, and brackets. */
  text: string;
  /** Which of its 12 units is drawn as lines. */
  unit: number;
  /** What the large picture shows: i, f, o, c or h. */
  shown: string;
  steps: number;
  seed: number;
}

const HIDDEN = 12;
const LENGTH = 24;
const BATCH = 48;
const STEPS_A_FRAME = 10;
const VOCABULARY = CharVocabulary.of('abc()');

/** Letters and brackets that close what they have opened, up to three deep. */
function sentence(random: HostRandom, length: number): string {
  let [text, depth] = ['', 0];
  while (text.length < length) {
    const u = random.uniform();
    if (u < 0.25 && depth < 3) [text, depth] = [`${text}(`, depth + 1];
    else if (u < 0.5 && depth > 0) [text, depth] = [`${text})`, depth - 1];
    else text += 'abc'[random.below(3)];
  }
  return text;
}

/** How many brackets are open after each character. */
function depths(text: string): number[] {
  let depth = 0;
  return Array.from(text, (c) => (depth += c === '(' ? 1 : c === ')' ? -1 : 0));
}

function create(seed: number) {
  manualSeed(seed);
  const random = new HostRandom(seed);
  const [embedding, lstm, head] = [
    new Embedding(5, 8),
    new LSTM(8, HIDDEN, { batchFirst: true }),
    new Linear(HIDDEN, 5),
  ];
  const optimizer = new Adam(
    [embedding, lstm, head].flatMap((m) => [...m.parameters()]),
    { lr: 0.01 },
  );
  const update = compile(async (x: Tensor<[number, number], 'int32'>, y: Tensor<[number], 'int32'>) => {
    optimizer.zeroGrad();
    const [outputs] = lstm.forward(embedding.forward(x));
    const loss: Tensor = crossEntropy(head.forward(outputs).reshape([BATCH * LENGTH, 5]), y);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const step = async () => {
    const lines = Array.from({ length: BATCH }, () => VOCABULARY.encode(sentence(random, LENGTH + 1)));
    const x = tensor(Int32Array.from(lines.flatMap((line) => [...line.subarray(0, -1)])), {
      shape: [BATCH, LENGTH],
      dtype: 'int32',
    });
    const y = tensor(Int32Array.from(lines.flatMap((line) => [...line.subarray(1)])), { dtype: 'int32' });
    return await (await update(x, y)).item();
  };
  /** Gates, memory and output at one character: what nn.LSTM does, written out. */
  const readOne = compile(async (id: Tensor<[number], 'int32'>, h: Tensor, c: Tensor) => {
    const state = Object.fromEntries(lstm.namedParameters());
    const x: Tensor = embedding.forward(id);
    const sums: Tensor = x
      .matmul(state['weight_ih_l0'].T)
      .add(h.matmul(state['weight_hh_l0'].T))
      .add(state['bias_ih_l0'])
      .add(state['bias_hh_l0']);
    const [input, forget, candidate, output]: Tensor[] = sums.chunk(4, 1);
    const [i, f, o]: Tensor[] = [input.sigmoid(), forget.sigmoid(), output.sigmoid()];
    const kept: Tensor = f.mul(c).add(i.mul(candidate.tanh()));
    return [i, f, o, kept, o.mul(kept.tanh())];
  });
  const read = async (text: string) => {
    const nothing: Tensor = tensor(new Float32Array(HIDDEN), { shape: [1, HIDDEN] });
    let [h, c] = [nothing, nothing];
    const found: { i: number[]; f: number[]; o: number[]; c: number[]; h: number[] }[] = [];
    for (const id of VOCABULARY.encode(text)) {
      const all = await noGrad(() => readOne(tensor(Int32Array.of(id), { dtype: 'int32' }), h, c));
      [, , , c, h] = all;
      const [i, f, o, kept, said] = await Promise.all(all.map(async (t) => [...(await t.data())]));
      found.push({ i, f, o, c: kept, h: said });
    }
    return found;
  };
  return { seed, step, read, steps: 0, losses: [] as number[] };
}

/** The network of the last start: another text does not have to wait for another training. */
let known: ReturnType<typeof create> | undefined;

/** Teaches an LSTM what comes next in texts with brackets, and looks into it while it reads one. */
export async function* run(settings: Settings) {
  const { text } = settings;
  if (!/^[abc()]{2,40}$/.test(text)) throw new Error('Text: 2 to 40 of the characters a b c ( ), such as a(b(c)a)b.');
  if (known?.seed !== settings.seed || known.steps > settings.steps) known = create(settings.seed);
  const network = known;
  const depth = depths(text);
  for (;;) {
    const found = await network.read(text);
    const of = (name: 'i' | 'f' | 'o' | 'c' | 'h') => found.map((at) => at[name]);
    const [i, f, o, c, h] = [of('i'), of('f'), of('o'), of('c'), of('h')];
    // Which unit's memory goes up and down with the brackets?
    const correlations = Array.from({ length: HIDDEN }, (_, unit) =>
      correlation(
        c.map((row) => row[unit]),
        depth,
      ),
    );
    const best = correlations.reduce((b, r, unit) => (Math.abs(r) > Math.abs(correlations[b]) ? unit : b), 0);
    yield {
      values: {
        step: network.steps,
        loss: network.losses.at(-1) ?? NaN,
        'unit that counts brackets best': best + 1,
        'its correlation with the depth': correlations[best],
      },
      text,
      depth,
      states: { i, f, o, c, h },
      correlations,
      unit: Math.round(settings.unit) - 1,
      shown: settings.shown,
      losses: network.losses,
    };
    if (network.steps >= settings.steps) return;
    for (let k = 0; k < STEPS_A_FRAME && network.steps < settings.steps; k++, network.steps++)
      network.losses.push(await network.step());
  }
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (v: readonly number[]) => v.reduce((x, y) => x + y, 0) / v.length;
  const [ma, mb] = [mean(a), mean(b)];
  const product = (x: readonly number[], mx: number, y: readonly number[], my: number) =>
    x.reduce((sum, v, i) => sum + (v - mx) * (y[i] - my), 0);
  return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb) + 1e-12);
}
