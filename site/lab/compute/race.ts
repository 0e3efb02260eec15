import { type Tensor, tensor } from 'nabla';
import { HostRandom } from 'nabla/data';
import { Adadelta, Adagrad, Adam, AdamW, Adamax, LBFGS, NAdam, NewtonCG, RAdam, RMSprop, SGD } from 'nabla/optim';

export interface Settings {
  surface: string;
  /** A surface of your own: a formula in x and y. */
  own: string;
  x: number;
  y: number;
  rate: number;
  momentum: number;
  noise: number;
  steps: number;
}

type Surface = (x: Tensor, y: Tensor) => Tensor;

/** Each with its reach (x from, to, y from, to). */
const SURFACES: Record<string, readonly [f: Surface, reach: readonly [number, number, number, number]]> = {
  valley: [(x, y) => x.pow(2).mul(0.05).add(y.pow(2)), [-10, 10, -5, 5]],
  rosenbrock: [
    (x, y) =>
      x
        .sub(1)
        .pow(2)
        .add(y.sub(x.pow(2)).pow(2).mul(10)),
    [-2, 2, -1, 3],
  ],
  himmelblau: [
    (x, y) =>
      x
        .pow(2)
        .add(y)
        .sub(11)
        .pow(2)
        .add(x.add(y.pow(2)).sub(7).pow(2))
        .mul(0.05),
    [-5, 5, -5, 5],
  ],
  saddle: [(x, y) => x.pow(2).mul(0.5).sub(y.pow(2).mul(0.5)).add(y.pow(4).mul(0.05)), [-3, 3, -4, 4]],
  ripples: [(x, y) => x.pow(2).add(y.pow(2)).mul(0.1).add(2).sub(x.mul(2).cos()).sub(y.mul(2).cos()), [-5, 5, -5, 5]],
};
const SIZE = 80;
const FUNCTIONS: Record<string, (a: Tensor) => Tensor> = {
  sin: (a) => a.sin(),
  cos: (a) => a.cos(),
  exp: (a) => a.exp(),
  log: (a) => a.log(),
  tanh: (a) => a.tanh(),
  sqrt: (a) => a.sqrt(),
  abs: (a) => a.abs(),
};

/** `x^2 + 10 * sin(y)` as a function of tensors: sums of products of powers of atoms, read from left to right. */
function parse(formula: string): Surface {
  const tokens = formula.match(/\d+(\.\d+)?|[A-Za-z]+|\S/g) ?? [];
  let at = 0;
  const fail = (what: string): never => {
    throw new Error(
      `Own surface: ${what}. Use x, y, numbers, + - * / ^, brackets and ${Object.keys(FUNCTIONS).join(', ')}.`,
    );
  };
  const atom = (): Surface => {
    const token = tokens[at++] ?? fail('it ends too early');
    if (token === '-') {
      const inner = power();
      return (x, y) => inner(x, y).neg();
    }
    const f = FUNCTIONS[token];
    if (f) {
      if (tokens[at] !== '(') fail(`write ${token}(…)`);
      const inner = atom();
      return (x, y) => f(inner(x, y));
    }
    if (token === '(') {
      const inner = sum();
      if (tokens[at++] !== ')') fail("')' is missing");
      return inner;
    }
    if (token === 'x') return (x) => x;
    if (token === 'y') return (_, y) => y;
    const number = Number(token);
    return Number.isFinite(number) ? (x) => x.mul(0).add(number) : fail(`'${token}' is not understood`);
  };
  const power = (): Surface => {
    const base = atom();
    if (tokens[at] !== '^') return base;
    at++;
    const sign = tokens[at] === '-' ? (at++, -1) : 1;
    const exponent = sign * Number(tokens[at++]);
    if (!Number.isFinite(exponent)) fail('behind ^ stands a number');
    return (x, y) => base(x, y).pow(exponent);
  };
  const chain = (next: () => Surface, operators: Record<string, (a: Tensor, b: Tensor) => Tensor>): Surface => {
    let left = next();
    for (let apply = operators[tokens[at] ?? '']; apply; apply = operators[tokens[at] ?? '']) {
      at++;
      const [a, b, f] = [left, next(), apply];
      left = (x, y) => f(a(x, y), b(x, y));
    }
    return left;
  };
  const product = (): Surface => chain(power, { '*': (a, b) => a.mul(b), '/': (a, b) => a.div(b) });
  const sum = (): Surface => chain(product, { '+': (a, b) => a.add(b), '-': (a, b) => a.sub(b) });
  const surface = sum();
  if (at < tokens.length) fail(`'${tokens[at]}' is not understood`);
  // As large as x and y together, also where the formula lacks one.
  return (x, y) => surface(x, y).add(x.add(y).mul(0));
}

/** Optimisers walk down from one start, a step a frame. */
export async function* run(settings: Settings) {
  const chosen =
    settings.surface === 'own' ? ([parse(settings.own), [-5, 5, -5, 5]] as const) : SURFACES[settings.surface];
  if (!chosen) throw new Error(`surface: '${settings.surface}'. Use one of ${Object.keys(SURFACES).join(', ')}.`);
  const [f, reach] = chosen;
  const [x0, x1, y0, y1] = reach;
  const places = (from: number, to: number) =>
    Float32Array.from({ length: SIZE }, (_, i) => from + ((i + 0.5) / SIZE) * (to - from));
  const heights = await f(
    tensor(places(x0, x1), { shape: [1, SIZE] }),
    tensor(places(y0, y1), { shape: [SIZE, 1] }),
  ).data();

  const random = new HostRandom(0);
  const within = (value: number, from: number, to: number) => Math.min(to, Math.max(from, value));
  const start = () => tensor([within(settings.x, x0, x1), within(settings.y, y0, y1)], { requiresGrad: true });
  const lossOf = (p: Tensor): Tensor => f(p.select(0, 0), p.select(0, 1));
  const { rate: lr, momentum } = settings;
  const first = (name: string, make: (p: Tensor) => { step(): Promise<void>; zeroGrad(): void }) => {
    const point: Tensor = start();
    const optimizer = make(point);
    const step = async () => {
      optimizer.zeroGrad();
      let loss = lossOf(point);
      // A mini-batch's gradient is the true one plus noise: a random slope in each direction.
      if (settings.noise > 0)
        loss = loss.add(
          point
            .mul(tensor([random.normal(), random.normal()]))
            .sum()
            .mul(settings.noise),
        );
      loss.backward();
      await optimizer.step();
    };
    return { name, point, step };
  };
  const lbfgs: Tensor = start();
  const newton: Tensor = start();
  const searching = new LBFGS([lbfgs], { maxIter: 1, lineSearchFn: 'strong_wolfe' });
  const curving = new NewtonCG([newton]);
  const racers = [
    first('SGD', (p) => new SGD([p], { lr })),
    first('Momentum', (p) => new SGD([p], { lr, momentum })),
    first('Nesterov', (p) => new SGD([p], { lr, momentum, nesterov: momentum > 0 })),
    first('Adagrad', (p) => new Adagrad([p], { lr })),
    first('Adadelta', (p) => new Adadelta([p], { lr })),
    first('RMSprop', (p) => new RMSprop([p], { lr })),
    first('Adam', (p) => new Adam([p], { lr })),
    first('AdamW', (p) => new AdamW([p], { lr })),
    first('Adamax', (p) => new Adamax([p], { lr })),
    first('NAdam', (p) => new NAdam([p], { lr })),
    first('RAdam', (p) => new RAdam([p], { lr })),
    { name: 'L-BFGS', point: lbfgs, step: () => searching.step(() => backward(lossOf(lbfgs), lbfgs)) },
    { name: 'Newton-CG', point: newton, step: () => curving.step(() => lossOf(newton)) },
  ];

  for (let step = 0; ; step++) {
    const positions = await Promise.all(racers.map(async ({ point }) => [...(await point.data())]));
    const losses = await Promise.all(racers.map(({ point }) => lossOf(point.detach()).item()));
    const best = losses.indexOf(Math.min(...losses.filter(Number.isFinite)));
    yield {
      values: { step, lowest: losses[best] ?? 'none', by: racers[best]?.name ?? 'all diverged' },
      racers: racers.map(({ name }, i) => ({ name, x: positions[i][0], y: positions[i][1], loss: losses[i] })),
      heights,
      size: SIZE,
      reach,
    };
    if (step === settings.steps) return;
    for (const [i, racer] of racers.entries()) if (Number.isFinite(losses[i])) await racer.step();
  }
}

/** A closure of L-BFGS computes the gradient, too. */
function backward(loss: Tensor, point: Tensor): Tensor {
  point.grad = undefined;
  loss.backward();
  return loss;
}
