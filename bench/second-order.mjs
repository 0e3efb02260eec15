// How many passes over the data a small regression network needs with Levenberg-Marquardt, L-BFGS and AdamW to reach the same losses (full batches,
// float64, standardised), and what a product with the Hessian costs in gradients.
//   node bench/second-order.mjs [--set diabetes|FILE.csv] [--hidden 8,8] [--seeds 1,2,3] [--passes 50,100,200] [--most 4000]   after npm run build
// A pass is forward and backward over all rows: a step of AdamW and an evaluation of L-BFGS are one, and so is a Jacobian of Levenberg-Marquardt;
// its residuals of a step that is tried, forward alone, are half of one. The product of the Jacobian with itself touches no data but is most of its
// time, so that losses are also compared by time, in gradients. AdamW has no weight decay, the best of `--rates`, and at each pass the least loss so
// far.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseArgs } from 'node:util';
import { compile, grad, hvp, manualSeed, randn, realize, tensor } from 'nabla';
import { diabetes } from 'nabla/data';
import { Linear, Sequential, Tanh, functionalCall, mseLoss } from 'nabla/nn';
import { AdamW, LBFGS, LevenbergMarquardt } from 'nabla/optim';

const { values: asked } = parseArgs({
  options: {
    set: { type: 'string', default: 'diabetes' },
    hidden: { type: 'string', default: '8' },
    seeds: { type: 'string', default: '1,2,3' },
    passes: { type: 'string', default: '20,50,100,200' },
    rates: { type: 'string', default: '0.01,0.03,0.1' },
    most: { type: 'string', default: '4000' },
    products: { type: 'boolean', default: false },
  },
});
const listed = (text) => text.split(',').map(Number);
const [HIDDEN, SEEDS, PASSES, RATES, MOST] = [
  ...[asked.hidden, asked.seeds, asked.passes, asked.rates].map(listed),
  Number(asked.most),
];

/** Rows and targets; of a file with a header, the last column is the target. */
function readSet(name) {
  if (name === 'diabetes') {
    const { x, y } = diabetes().gather(Int32Array.from({ length: 442 }, (_, i) => i));
    return [
      tensor(Float64Array.from(x.data), { shape: x.shape }),
      tensor(Float64Array.from(y.data), { shape: [442, 1] }),
    ];
  }
  const bytes = readFileSync(name);
  const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  const lines = text.trim().split('\n').slice(1);
  const all = lines.map((line) => line.split(',').map(Number));
  const width = all[0].length - 1;
  return [
    tensor(Float64Array.from(all.flatMap((row) => row.slice(0, width))), { shape: [all.length, width] }),
    tensor(Float64Array.from(all.map((row) => row[width])), { shape: [all.length, 1] }),
  ];
}

const standard = (t) => t.sub(t.mean(0)).div(t.std(0)).detach();
const [x, y] = readSet(asked.set).map(standard);
await realize(x, y);
const [rows, inputs] = x.shape;

function network(seed) {
  manualSeed(seed);
  const sizes = [inputs, ...HIDDEN];
  const layers = HIDDEN.flatMap((width, i) => [new Linear(sizes[i], width), new Tanh()]);
  return new Sequential(...layers, new Linear(sizes.at(-1), 1)).to('float64');
}

/** [passes, loss, milliseconds] after each step. */
async function lbfgs(model, passes) {
  const optimizer = new LBFGS(model.parameters(), {
    lineSearchFn: 'strong_wolfe',
    maxIter: 1,
    historySize: 100,
    toleranceChange: 0,
  });
  const closure = compile(() => {
    optimizer.zeroGrad();
    const loss = mseLoss(model.forward(x), y);
    loss.backward();
    return loss;
  });
  const path = [];
  for (let done = 0, spent = 0; done < passes;) {
    const begin = performance.now();
    const { value, evaluations, iterations } = await optimizer.step(closure);
    path.push([(done += evaluations - (done > 0)), value, (spent += performance.now() - begin)]); // its first is the last one's end
    if (iterations === 0 || evaluations <= 1) break;
  }
  return path;
}

async function marquardt(model, passes) {
  const optimizer = new LevenbergMarquardt(model.parameters(), { maxIterations: 10 });
  const path = [];
  for (let done = 0, spent = 0; done < passes;) {
    const begin = performance.now();
    const { value, evaluations, iterations } = await optimizer.step((u, v) => model.forward(u).sub(v), [x, y]);
    path.push([(done += evaluations / 2 + iterations + 1), (2 * value) / rows, (spent += performance.now() - begin)]);
    if (iterations === 0) break;
  }
  return path;
}

/** The least loss so far after each pass, and the milliseconds of a pass. */
async function adamw(model, lr) {
  const optimizer = new AdamW(model.parameters(), { lr, weightDecay: 0 });
  const step = compile(async () => {
    optimizer.zeroGrad();
    const loss = mseLoss(model.forward(x), y);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const least = new Float64Array(MOST);
  let begin = 0;
  for (let pass = 0; pass < MOST; pass++) {
    if (pass === 20) begin = performance.now();
    least[pass] = Math.min(pass === 0 ? Infinity : least[pass - 1], await (await step()).item());
  }
  return { lr, least, each: (performance.now() - begin) / (MOST - 20) };
}

if (!asked.products) {
  await lbfgs(network(0), 2); // compiles
  await marquardt(network(0), 2);
  for (const seed of SEEDS) {
    const rates = [];
    for (const lr of RATES) rates.push(await adamw(network(seed), lr));
    const each = Math.min(...rates.map((rate) => rate.each));
    const ends = rates.map(({ lr, least }) => `${lr}: ${least[MOST - 1].toFixed(5)}`).join(', ');
    console.log(`seed ${seed}: a gradient ${each.toFixed(2)} ms; AdamW after ${MOST} passes at rate ${ends}`);
    for (const [name, path] of [
      ['L-BFGS', await lbfgs(network(seed), PASSES.at(-1))],
      ['Levenberg-Marquardt', await marquardt(network(seed), Math.min(200, PASSES.at(-1)))],
    ])
      for (const passes of PASSES) {
        const reached = path.filter(([done]) => done <= passes).at(-1);
        if (reached === undefined) continue;
        const [done, loss, spent] = reached;
        const tries = rates.map(({ lr, least }) => ({ lr, pass: 1 + least.findIndex((other) => other <= loss) }));
        const winner = tries.filter(({ pass }) => pass > 0).toSorted((a, b) => a.pass - b.pass)[0];
        const other = winner === undefined ? `more than ${MOST}` : `${winner.pass} (rate ${winner.lr})`;
        const times = ((winner?.pass ?? MOST) / done).toFixed(1);
        const byTime = ((winner?.pass ?? MOST) / (spent / each)).toFixed(1);
        console.log(
          `  ${name}: ${loss.toFixed(5)} after ${done} passes (${(spent / each).toFixed(0)} gradients' time); AdamW ${other}: ${times} times, by time ${byTime}`,
        );
      }
  }
}

// ---------------------------------------------------------------- a product with the Hessian

for (const [width, hidden, batch] of [
  [10, 16, 442],
  [256, 512, 512],
]) {
  if (!asked.products) break;
  const model = new Sequential(
    new Linear(width, hidden),
    new Tanh(),
    new Linear(hidden, hidden),
    new Tanh(),
    new Linear(hidden, 1),
  );
  const [u, v] = [randn([batch, width]), randn([batch, 1])];
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
    `${width}-${hidden}-${hidden}-1, batch ${batch}: gradient ${Math.min(g, again[0]).toFixed(3)} ms, product with the Hessian ${Math.min(h, again[1]).toFixed(3)} ms: ${(Math.min(h, again[1]) / Math.min(g, again[0])).toFixed(2)} gradients`,
  );
}
