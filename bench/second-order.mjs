// How many passes over the data a small regression network needs with L-BFGS, Levenberg-Marquardt and AdamW to reach the same losses
// (diabetes, 442 patients, full batches), and what a product with the Hessian costs in gradients.
//   node bench/second-order.mjs [hidden units] [most passes]        after npm run build
import { compile, grad, hvp, manualSeed, randn } from 'nabla';
import { diabetes } from 'nabla/data';
import { Linear, Sequential, Tanh, functionalCall, mseLoss } from 'nabla/nn';
import { AdamW, LBFGS, LevenbergMarquardt } from 'nabla/optim';

const set = diabetes();
const { x: raw, y: target } = set.batch(Array.from({ length: set.length }, (_, i) => i));
const standard = (t) => t.sub(t.mean(0)).div(t.std(0)).detach();
const [x, y] = [standard(raw), standard(target.reshape([set.length, 1]))];
const network = (dtype) => {
  manualSeed(1);
  return new Sequential(new Linear(10, HIDDEN), new Tanh(), new Linear(HIDDEN, 1)).to(dtype);
};
const inDtype = (dtype) => [x.to(dtype), y.to(dtype)];
const HIDDEN = Number(process.argv[2] ?? 4);
const MOST = Number(process.argv[3] ?? 30_000);

/** [passes, loss] after each step; a pass is forward and backward over all patients, or its like. */
async function lbfgs(passes) {
  const model = network('float64');
  const [u, v] = inDtype('float64');
  const optimizer = new LBFGS(model.parameters(), { lineSearchFn: 'strong_wolfe', maxIter: 10, historySize: 20 });
  const closure = compile(() => {
    optimizer.zeroGrad();
    const loss = mseLoss(model.forward(u), v);
    loss.backward();
    return loss;
  });
  const path = [];
  for (let done = 0; done < passes;) {
    const { value, evaluations } = await optimizer.step(closure);
    path.push([(done += evaluations), value]);
  }
  return path;
}

/** An evaluation of the residuals is a pass, and so is one of their Jacobian. */
async function marquardt(iterations) {
  const model = network('float64');
  const [u, v] = inDtype('float64');
  const optimizer = new LevenbergMarquardt(model.parameters(), { maxIterations: 10 });
  const path = [];
  let done = 0;
  for (let i = 0; i < iterations; i++) {
    const { value, evaluations, iterations: accepted } = await optimizer.step(() => model.forward(u).sub(v));
    path.push([(done += evaluations + accepted), (2 * value) / set.length]);
  }
  return path;
}

/** The least loss so far after each pass. */
async function adamw(lr) {
  const model = network('float64');
  const [u, v] = inDtype('float64');
  const optimizer = new AdamW(model.parameters(), { lr, weightDecay: 0 });
  const step = compile(async () => {
    optimizer.zeroGrad();
    const loss = mseLoss(model.forward(u), v);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const least = new Float64Array(MOST);
  for (let pass = 0; pass < MOST; pass++)
    least[pass] = Math.min(pass === 0 ? Infinity : least[pass - 1], await (await step()).item());
  return least;
}

const rates = [];
for (const lr of [3e-3, 1e-2, 3e-2, 1e-1]) rates.push({ lr, least: await adamw(lr) });

for (const [name, path] of [
  ['L-BFGS', await lbfgs(1000)],
  ['Levenberg-Marquardt', await marquardt(20)],
]) {
  for (const passes of [50, 100, 200, 400, 1000]) {
    const reached = path.filter(([done]) => done <= passes).at(-1);
    if (reached === undefined) continue;
    const tries = rates.map(({ lr, least }) => ({ lr, pass: 1 + least.findIndex((loss) => loss <= reached[1]) }));
    const winner = tries.filter(({ pass }) => pass > 0).toSorted((a, b) => a.pass - b.pass)[0];
    const other =
      winner === undefined
        ? `not in ${MOST} passes (${Math.min(...rates.map(({ least }) => least[MOST - 1])).toFixed(5)})`
        : `${winner.pass} passes, lr ${winner.lr}`;
    console.log(`${name}: loss ${reached[1].toFixed(5)} after ${reached[0]} passes; AdamW: ${other}`);
  }
}

// ---------------------------------------------------------------- a product with the Hessian

for (const [inputs, hidden, batch] of [
  [10, 16, 442],
  [256, 512, 512],
]) {
  const model = new Sequential(
    new Linear(inputs, hidden),
    new Tanh(),
    new Linear(hidden, hidden),
    new Tanh(),
    new Linear(hidden, 1),
  );
  const [u, v] = [randn([batch, inputs]), randn([batch, 1])];
  const names = model.namedParameters().map(([name]) => name);
  const values = model.namedParameters().map(([, p]) => p.detach());
  const loss = (...ps) => mseLoss(functionalCall(model, Object.fromEntries(ps.map((p, i) => [names[i], p])), u), v);
  const directions = values.map((p) => randn(p.shape));
  const slope = compile((...ps) => grad((list) => loss(...list))(ps));
  const curved = compile((...all) => hvp(loss, all.slice(0, values.length), all.slice(values.length)).product);
  const time = async (fn, args) => {
    const times = [];
    for (let i = 0; i < 60; i++) {
      const begin = performance.now();
      await fn(...args);
      times.push(performance.now() - begin);
    }
    return times.slice(20).toSorted((a, b) => a - b)[20];
  };
  const [g, h] = [await time(slope, values), await time(curved, [...values, ...directions])];
  const again = [await time(slope, values), await time(curved, [...values, ...directions])];
  console.log(
    `${inputs}-${hidden}-${hidden}-1, batch ${batch}: gradient ${Math.min(g, again[0]).toFixed(3)} ms, product with the Hessian ${Math.min(h, again[1]).toFixed(3)} ms: ${(Math.min(h, again[1]) / Math.min(g, again[0])).toFixed(2)} gradients`,
  );
}
