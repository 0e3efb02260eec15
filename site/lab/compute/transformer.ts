import { type Tensor, compile, manualSeed, noGrad, realize, tensor } from 'nabla';
import { HostRandom } from 'nabla/data';
import { Embedding, LayerNorm, Linear, MultiheadAttention, crossEntropy, sinusoidalEncoding } from 'nabla/nn';
import { Adam } from 'nabla/optim';

export interface Settings {
  task: string;
  /** The sequence whose attention is shown: digits with spaces between them. */
  sequence: string;
  heads: string;
  rate: number;
  steps: number;
  seed: number;
}

const WIDTH = 32;
const BATCH = 64;
const BEGIN = 10; // the token that the output begins with
const STEPS_A_FRAME = 10;

const TASKS: Record<string, (digits: readonly number[]) => number[]> = {
  reverse: (digits) => [...digits].reverse(),
  sort: (digits) => [...digits].sort((a, b) => a - b),
  copy: (digits) => [...digits],
  shift: (digits) => [...digits.slice(1), digits[0]],
};

type Ids = Tensor<[number, number], 'int32'>;

/** An encoder and a decoder of one layer each, whose attention can be read. */
function create(task: (digits: readonly number[]) => number[], length: number, heads: number, seed: number) {
  manualSeed(seed);
  const random = new HostRandom(seed);
  const table = new Embedding(11, WIDTH);
  const attend = () => new MultiheadAttention(WIDTH, heads, { batchFirst: true });
  const [own, past, other] = [attend(), attend(), attend()];
  const norms = Array.from({ length: 5 }, () => new LayerNorm(WIDTH));
  const small = () => [new Linear(WIDTH, 64), new Linear(64, WIDTH)] as const;
  const [inner, outer, head] = [small(), small(), new Linear(WIDTH, 10)];
  const places: Tensor = sinusoidalEncoding(length, WIDTH);
  const ask = { averageAttnWeights: false };
  const embed = (ids: Ids): Tensor =>
    table
      .forward(ids)
      .mul(Math.sqrt(WIDTH / 4))
      .add(places);
  const forward = (source: Ids, begun: Ids) => {
    const feed = (x: Tensor, [a, b]: ReturnType<typeof small>): Tensor => b.forward(a.forward(x).relu());
    let x = embed(source);
    const [seen, within] = own.forward(x, x, x, ask);
    x = norms[0].forward(x.add(seen));
    x = norms[1].forward(x.add(feed(x, inner)));
    let y = embed(begun);
    const [before, masked] = past.forward(y, y, y, { ...ask, isCausal: true });
    y = norms[2].forward(y.add(before));
    const [found, across] = other.forward(y, x, x, ask);
    y = norms[3].forward(y.add(found));
    y = norms[4].forward(y.add(feed(y, outer)));
    return { logits: head.forward(y), maps: [within, masked, across] };
  };
  const modules = [table, own, past, other, ...norms, ...inner, ...outer, head];
  const optimizer = new Adam(
    modules.flatMap((m) => [...m.parameters()]),
    { lr: 1 },
  );
  const update = compile(async (source: Ids, begun: Ids, target: Ids) => {
    optimizer.zeroGrad();
    const logits: Tensor = forward(source, begun).logits.reshape([BATCH * length, 10]);
    const labels = target.reshape([BATCH * length]);
    const loss: Tensor = crossEntropy(logits, labels);
    // Every batch is new to it: what it gets right before the update is an honest test.
    const right: Tensor = logits.detach().argmax(1).eq(labels).to('float32').mean().keep();
    loss.backward();
    await optimizer.step();
    return [loss, right];
  });
  const ids = (rows: readonly (readonly number[])[]): Ids =>
    tensor(Int32Array.from(rows.flat()), { shape: [rows.length, length], dtype: 'int32' });
  const draw = () => {
    const sources = Array.from({ length: BATCH }, () => Array.from({ length }, () => random.below(10)));
    const targets = sources.map(task);
    return { source: ids(sources), begun: ids(targets.map((t) => [BEGIN, ...t.slice(0, -1)])), target: ids(targets) };
  };
  const step = async (rate: number) => {
    for (const group of optimizer.groups) group.lr = rate;
    const { source, begun, target } = draw();
    const [loss, right] = await update(source, begun, target);
    return { loss: await loss.item(), right: await right.item() };
  };
  /** Says one digit after the other, each with those before it. */
  const answer = async (digits: readonly number[]) => {
    const said: number[] = [];
    for (;;) {
      const begun = [BEGIN, ...said, ...new Array<number>(length).fill(0)].slice(0, length);
      const { logits, maps } = noGrad(() => forward(ids([digits]), ids([begun])));
      const best = logits.argmax(2);
      const weights = maps.filter((map) => map !== undefined);
      await realize(best, ...weights);
      if (said.length === length) return { said, maps: await Promise.all(weights.map((map) => map.data())) };
      said.push((await best.data())[said.length]);
    }
  };
  return { step, answer };
}

/** Teaches a small Transformer to reverse or sort digits, and shows where its heads look. */
export async function* run(settings: Settings) {
  const task = TASKS[settings.task];
  if (!task) throw new Error(`task: '${settings.task}'. Use one of ${Object.keys(TASKS).join(', ')}.`);
  const digits = settings.sequence
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number);
  if (digits.length < 2 || digits.length > 10 || !digits.every((d) => Number.isInteger(d) && d >= 0 && d <= 9))
    throw new Error('Sequence: 2 to 10 digits with spaces between them, such as 3 1 4 1 5 9.');
  const heads = Number(settings.heads);
  const model = create(task, digits.length, heads, settings.seed);
  const [at, losses, accuracies]: number[][] = [[], [], []];
  let now = { loss: NaN, right: NaN };
  for (let step = 0; ; step++) {
    if (step % STEPS_A_FRAME === 0 || step === settings.steps) {
      const { said, maps } = await model.answer(digits);
      at.push(step);
      losses.push(now.loss);
      accuracies.push(now.right);
      yield {
        values: {
          step,
          loss: now.loss,
          'digits right': now.right,
          'it answers': said.join(' '),
          'right is': task(digits).join(' '),
        },
        at,
        losses,
        accuracies,
        digits,
        said,
        heads,
        maps,
      };
      if (step === settings.steps) return;
    }
    now = await model.step(settings.rate);
  }
}
