import { type Tensor, arange, grad, hessian, manualSeed, ones, randn, tensor, zeros } from 'nabla';
import { lstsq } from 'nabla/linalg';
import { Linear, bceWithLogits, crossEntropy } from 'nabla/nn';
import { Adam, RMSprop, SGD } from 'nabla/optim';
import source from 'source:./lectures-2-6.ts';
import { type Exam, exercise } from './exercise.js';

const GRAPH = '<var>d</var> = <var>x</var> + <var>y</var>, <var>f</var> = <var>d</var>·<var>z</var>';
const point = { x: 1, y: -3, z: 4 };
const points = { x: [1, 2, -2], y: [-3, 5, 1], z: [4, -1, 3] };
const TWO_LAYERS =
  '<var>ŷ</var> = <var>w</var><sub>2</sub>·max(0, <var>w</var><sub>1</sub>·<var>x</var>), <var>L</var> = (<var>ŷ</var> − <var>y</var>)²';

export const lectures2to6: Exam = {
  name: 'lectures-2-6',
  title: 'Lectures 2 to 6',
  date: 'Learning, networks, gradients, optimisation, training',
  source,
  exercises: [
    exercise({
      id: 'L2.1',
      title: 'The line with the least squares',
      given: { y1: 1, y2: 2, y3: 2 },
      vary: { y1: [1, 0, 3], y2: [2, 1, 4], y3: [2, 5, 3] },
      ask: ({ y1, y2, y3 }) =>
        `Which line <var>y</var> = <var>a</var> + <var>b</var><var>x</var> fits the points (0, ${y1}), (1, ${y2}), (2, ${y3}) with the least squares?`,
      answer: { kind: 'numbers', labels: ['a', 'b'], decimals: 3 },
      async solve({ y1, y2, y3 }, tell) {
        const X = tensor([
          [1, 0],
          [1, 1],
          [1, 2],
        ]);
        const y = tensor([[y1], [y2], [y3]]);
        await tell('XᵀX', X.T.matmul(X));
        await tell('Xᵀy', X.T.matmul(y));
        const { solution } = lstsq(X, y);
        await tell('θ = (XᵀX)⁻¹Xᵀy', solution);
        const slope = grad((t: Tensor<[2, 1]>) => X.matmul(t).sub(y).square().sum())(solution);
        await tell('The slope of the squares there', slope);
        return Array.from(await solution.data(), Number);
      },
    }),
    exercise({
      id: 'L2.2',
      title: 'Which point is nearer?',
      given: { x1: 3, y1: 3, x2: 0, y2: 5 },
      vary: { x1: [3, 2, 4], y1: [3, 2, 1], x2: [0, 1], y2: [5, 3, 6] },
      ask: ({ x1, y1, x2, y2 }) =>
        `How far are (${x1}, ${y1}) and (${x2}, ${y2}) from (0, 0) by the L1 distance and by the L2 distance?`,
      answer: { kind: 'numbers', labels: ['first, L1', 'second, L1', 'first, L2', 'second, L2'], decimals: 2 },
      async solve({ x1, y1, x2, y2 }, tell) {
        const rows = tensor([
          [x1, y1],
          [x2, y2],
        ]);
        const [one, two] = [rows.abs().sum(1), rows.square().sum(1).sqrt()];
        await tell('Σ|x|', one);
        await tell('√Σx²', two);
        return [...(await one.data()), ...(await two.data())].map(Number);
      },
    }),
    exercise({
      id: 'L2.3',
      title: 'The cost of logistic regression',
      given: { z: 2 },
      vary: { z: [2, 0, -1, 3] },
      ask: ({ z }) =>
        `The score of a sample is ${z}. What is the probability that it belongs to class 1, and what does the sample cost if it does, and if it does not?`,
      answer: { kind: 'numbers', labels: ['probability', 'cost if 1', 'cost if 0'], decimals: 3 },
      async solve({ z }, tell) {
        const score = tensor([z]);
        const p = score.sigmoid();
        await tell('ŷ = σ(z)', p);
        await tell('−log ŷ', p.log().neg());
        await tell('−log(1 − ŷ)', p.neg().add(1).log().neg());
        const costs = [bceWithLogits(score, ones([1])), bceWithLogits(score, zeros([1]))];
        return [await p.sum().item(), ...(await Promise.all(costs.map((cost) => cost.item())))];
      },
    }),
    exercise({
      id: 'L2.4',
      title: 'Cross validation',
      given: { samples: 100, folds: 5 },
      vary: { samples: [100, 60, 200], folds: [5, 10, 4] },
      ask: ({ samples, folds }) =>
        `${samples} samples are validated in ${folds} folds. On how many is a run trained, how often is a sample trained on, and how often is it validated?`,
      answer: { kind: 'numbers', labels: ['trained on', 'times trained', 'times validated'] },
      async solve({ samples, folds }, tell) {
        const size = samples / folds;
        await tell('A fold has', size);
        const fold = arange(samples).to('float32').div(size).floor();
        const trained = await fold.ne(0).sum().item();
        await tell('Samples outside of the first fold', trained);
        const runs = arange(folds); // the first sample lies in fold 0
        const [often, once] = [await runs.ne(0).sum().item(), await runs.eq(0).sum().item()];
        await tell('Runs that train on the first sample, and that validate it', `${often} and ${once}`);
        return [trained, often, once];
      },
    }),
    exercise({
      id: 'L3.1',
      title: 'Forward through a graph',
      given: point,
      vary: points,
      ask: ({ x, y, z }) =>
        `${GRAPH}. What are <var>d</var> and <var>f</var> for <var>x</var> = ${x}, <var>y</var> = ${y}, <var>z</var> = ${z}?`,
      answer: { kind: 'numbers', labels: ['d', 'f'] },
      async solve({ x, y, z }, tell) {
        const d = tensor(x).add(y);
        await tell('d = x + y', d);
        const f = d.mul(z);
        await tell('f = d·z', f);
        return [await d.item(), await f.item()];
      },
    }),
    exercise({
      id: 'L3.2',
      title: 'Six activations',
      given: { x: -2 },
      vary: { x: [-2, 3, -1, 0.5] },
      ask: ({ x }) => `What do sigmoid, tanh, ReLU and leaky ReLU max(0.1<var>x</var>, <var>x</var>) give at ${x}?`,
      answer: { kind: 'numbers', labels: ['sigmoid', 'tanh', 'ReLU', 'leaky ReLU'], decimals: 3 },
      async solve({ x }, tell) {
        const v = tensor([x]);
        const all = { sigmoid: v.sigmoid(), tanh: v.tanh(), ReLU: v.relu(), 'leaky ReLU': v.mul(0.1).maximum(v) };
        const answers: number[] = [];
        for (const [name, y] of Object.entries(all)) {
          await tell(name, y);
          answers.push(await y.sum().item());
        }
        return answers;
      },
    }),
    exercise({
      id: 'L3.3',
      title: 'The size of a layer on an image',
      given: { side: 128, hidden: 1000, classes: 10 },
      vary: { side: [128, 32, 64], hidden: [1000, 100, 500], classes: [10, 100] },
      ask: ({ side, hidden, classes }) =>
        `A grey image of ${side}×${side} goes to ${classes} scores through one layer, or through a layer of ${hidden} neurons. How many weights (no biases) is each?`,
      answer: { kind: 'numbers', labels: ['one layer', 'two layers'] },
      async solve({ side, hidden, classes }, tell) {
        const pixels = side * side;
        await tell('Pixels', pixels);
        const one = new Linear(pixels, classes, { bias: false }).weight.size;
        const two = [new Linear(pixels, hidden, { bias: false }), new Linear(hidden, classes, { bias: false })];
        for (const layer of two) await tell('Weights of a layer: outputs × inputs', layer.weight.shape.join('×'));
        return [one, two.reduce((sum, layer) => sum + layer.weight.size, 0)];
      },
    }),
    exercise({
      id: 'L3.4',
      title: 'What a yes costs',
      given: { p: 0.8 },
      vary: { p: [0.8, 0.6, 0.99] },
      ask: ({ p }) =>
        `A network says yes with the probability ${p}. What is the binary cross entropy if the answer is yes, and if it is no?`,
      answer: { kind: 'numbers', labels: ['if yes', 'if no'], decimals: 3 },
      async solve({ p }, tell) {
        const logit = tensor([Math.log(p / (1 - p))]);
        await tell('Its logit', logit);
        const [yes, no] = [await bceWithLogits(logit, ones([1])).item(), await bceWithLogits(logit, zeros([1])).item()];
        await tell('−log p', yes);
        await tell('−log(1 − p)', no);
        return [yes, no];
      },
    }),
    exercise({
      id: 'L4.1',
      title: 'Backward through a graph',
      given: point,
      vary: points,
      ask: ({ x, y, z }) =>
        `${GRAPH} at <var>x</var> = ${x}, <var>y</var> = ${y}, <var>z</var> = ${z}. What are ∂<var>f</var>/∂<var>x</var>, ∂<var>f</var>/∂<var>y</var> and ∂<var>f</var>/∂<var>z</var>?`,
      answer: { kind: 'numbers', labels: ['∂f/∂x', '∂f/∂y', '∂f/∂z'] },
      async solve({ x, y, z }, tell) {
        const leaves = [x, y, z].map((value) => tensor(value, { requiresGrad: true }));
        const [X, Y, Z] = leaves;
        if (!X || !Y || !Z) throw new Error('there are three');
        const d = X.add(Y);
        await tell('∂f/∂d = z', z);
        d.mul(Z).backward();
        const slopes: number[] = [];
        for (const [name, leaf] of [
          ['x', X],
          ['y', Y],
          ['z', Z],
        ] as const) {
          if (!leaf.grad) throw new Error('there is a gradient');
          await tell(`∂f/∂${name}`, leaf.grad);
          slopes.push(await leaf.grad.item());
        }
        return slopes;
      },
    }),
    exercise({
      id: 'L4.2',
      title: 'The sigmoid neuron, backward',
      given: { w0: 2, w1: -3, w2: -3, x0: -1, x1: -2 },
      vary: { w0: [2, 1, -1], w1: [-3, 2, 1], w2: [-3, 0, 1], x0: [-1, 2, 1], x1: [-2, 1, 3] },
      ask: ({ w0, w1, w2, x0, x1 }) =>
        `<var>f</var> = σ(<var>w</var><sub>0</sub><var>x</var><sub>0</sub> + <var>w</var><sub>1</sub><var>x</var><sub>1</sub> + <var>w</var><sub>2</sub>) with <var>w</var> = (${w0}, ${w1}, ${w2}) and <var>x</var> = (${x0}, ${x1}). What are <var>f</var> and its derivatives by <var>w</var><sub>0</sub> and <var>w</var><sub>2</sub>?`,
      answer: { kind: 'numbers', labels: ['f', '∂f/∂w₀', '∂f/∂w₂'], decimals: 2 },
      async solve({ w0, w1, w2, x0, x1 }, tell) {
        const f = (w: Tensor<[3]>) =>
          w
            .mul(tensor([x0, x1, 1]))
            .sum()
            .sigmoid();
        const w = tensor([w0, w1, w2]);
        await tell('The sum', w.mul(tensor([x0, x1, 1])).sum());
        const value = f(w);
        await tell('f = σ of it', value);
        await tell('f(1 − f), the slope at the sum', value.mul(value.neg().add(1)));
        const slopes = grad(f)(w);
        await tell('Times (x₀, x₁, 1)', slopes);
        const [a, , c] = Array.from(await slopes.data(), Number);
        return [await value.item(), Number(a), Number(c)];
      },
    }),
    exercise({
      id: 'L4.3',
      title: 'Two layers, backward and a step',
      given: { w1: 1 / 3, w2: 2, x: 1, y: 0, rate: 0.1 },
      vary: { w2: [2, 1, 3], x: [1, 2], y: [0, 1], rate: [0.1, 0.01] },
      ask: ({ w2, x, y, rate }) =>
        `${TWO_LAYERS} with <var>w</var> = (1/3, ${w2}), <var>x</var> = ${x}, <var>y</var> = ${y}. What are <var>L</var>, both derivatives, and <var>w</var><sub>1</sub> after a step with rate ${rate}?`,
      answer: { kind: 'numbers', labels: ['L', '∂L/∂w₁', '∂L/∂w₂', 'w₁ after'], decimals: 3 },
      async solve({ w1, w2, x, y, rate }, tell) {
        const [a, b] = [tensor([w1], { requiresGrad: true }), tensor([w2], { requiresGrad: true })];
        const h = a.mul(x).relu();
        await tell('h = max(0, w₁x)', h.detach());
        const loss = h.mul(b).sub(y).square().sum();
        await tell('L', loss.detach());
        loss.backward();
        if (!a.grad || !b.grad) throw new Error('there are gradients');
        await tell('∂L/∂w₁ = 2(ŷ − y)·w₂·x', a.grad);
        await tell('∂L/∂w₂ = 2(ŷ − y)·h', b.grad);
        const [one, two] = [await a.grad.sum().item(), await b.grad.sum().item()];
        await new SGD([a, b], { lr: rate }).step();
        return [await loss.item(), one, two, await a.detach().sum().item()];
      },
    }),
    exercise({
      id: 'L4.4',
      title: 'Which penalty prefers what',
      given: {},
      ask: () =>
        'On <var>x</var> = (1, 2, 1) the weights (0, 0.75, 0) and (0.25, 0.5, 0.25) give the same score. What does L2 (the sum of squares) say of each, and L1 (the sum of absolute values)?',
      answer: { kind: 'numbers', labels: ['first, L2', 'second, L2', 'first, L1', 'second, L1'], decimals: 4 },
      async solve(_, tell) {
        const w = tensor([
          [0, 0.75, 0],
          [0.25, 0.5, 0.25],
        ]);
        await tell('Both scores', w.matmul(tensor([[1], [2], [1]])));
        const [l2, l1] = [w.square().sum(1), w.abs().sum(1)];
        await tell('L2 prefers weights that are spread', l2);
        await tell('L1 prefers few of them', l1);
        return [...(await l2.data()), ...(await l1.data())].map(Number);
      },
    }),
    exercise({
      id: 'L5.1',
      title: 'Momentum, step by step',
      given: { beta: 0.9, rate: 0.1, g: 1 },
      vary: { beta: [0.9, 0.5, 0.8], rate: [0.1, 0.01], g: [1, 2, -1] },
      ask: ({ beta, rate, g }) =>
        `<var>v</var> ← ${beta}<var>v</var> − ${rate}·<var>g</var>, θ ← θ + <var>v</var> from <var>v</var> = 0 and θ = 0, with the gradient ${g} each time. Where is θ after three steps, and how long do steps get in the end?`,
      answer: { kind: 'numbers', labels: ['θ', 'longest step'], decimals: 3 },
      async solve({ beta, rate, g }, tell) {
        const theta = tensor([0], { requiresGrad: true });
        const optimizer = new SGD([theta], { lr: rate, momentum: beta });
        let [third, before, step] = [0, 0, 0];
        for (let i = 1; i <= 200; i++) {
          optimizer.zeroGrad();
          theta.mul(g).sum().backward();
          await optimizer.step();
          const now = await theta.detach().sum().item();
          step = now - before;
          before = now;
          if (i <= 3)
            await tell(`Step ${i}: v, and θ`, `${Number(step.toPrecision(5))}, ${Number(now.toPrecision(5))}`);
          if (i === 3) third = now;
        }
        await tell('After 200 steps a step is α|g| / (1 − β)', Math.abs(step));
        return [third, Math.abs(step)];
      },
    }),
    exercise({
      id: 'L5.2',
      title: 'RMSProp in a steep and a flat direction',
      given: { steep: 100, flat: 1, beta: 0.9, rate: 0.1 },
      vary: { steep: [100, 10, 1000], flat: [1, 0.1], beta: [0.9, 0.99], rate: [0.1, 0.01] },
      ask: ({ steep, flat, beta, rate }) =>
        `<var>s</var> ← ${beta}<var>s</var> + ${Number((1 - beta).toFixed(3))}<var>g</var>², θ ← θ − ${rate}·<var>g</var>/√<var>s</var>. How long is the first step where the gradient is ${steep}, and where it is ${flat}?`,
      answer: { kind: 'numbers', labels: ['steep', 'flat'], decimals: 3 },
      async solve({ steep, flat, beta, rate }, tell) {
        const theta = tensor([0, 0], { requiresGrad: true });
        theta
          .mul(tensor([steep, flat]))
          .sum()
          .backward();
        await tell('s = (1 − β)g²', theta.grad?.square().mul(1 - beta));
        await new RMSprop([theta], { lr: rate, alpha: beta, eps: 1e-12 }).step();
        await tell('The step is α/√(1 − β), whatever the gradient', theta.detach());
        return Array.from(await theta.detach().abs().data(), Number);
      },
    }),
    exercise({
      id: 'L5.3',
      title: 'Adam’s first steps',
      given: { g1: 2, g2: 4, rate: 0.1 },
      vary: { g1: [2, 1, -3], g2: [4, 0.5, 2], rate: [0.1, 0.01] },
      ask: ({ g1, g2, rate }) =>
        `Adam (β₁ = 0.9, β₂ = 0.999) with rate ${rate} starts at 0 and sees the gradients ${g1} and ${g2}. Where is it after each?`,
      answer: { kind: 'numbers', labels: ['after one', 'after two'], decimals: 4 },
      async solve({ g1, g2, rate }, tell) {
        const theta = tensor([0], { requiresGrad: true });
        const optimizer = new Adam([theta], { lr: rate });
        const [b1, b2] = [0.9, 0.999];
        let [m, v] = [0, 0];
        const places: number[] = [];
        for (const [i, g] of [g1, g2].entries()) {
          [m, v] = [b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g];
          await tell(`Step ${i + 1}: m corrected`, m / (1 - b1 ** (i + 1)));
          await tell(`Step ${i + 1}: √ of v corrected`, Math.sqrt(v / (1 - b2 ** (i + 1))));
          optimizer.zeroGrad();
          theta.mul(g).sum().backward();
          await optimizer.step();
          places.push(await theta.detach().sum().item());
          await tell('θ', places[i]);
        }
        return places;
      },
    }),
    exercise({
      id: 'L5.4',
      title: 'The best rate along the gradient',
      given: { a: 1, b: 10, x: 10, y: 1 },
      vary: { a: [1, 2], b: [10, 4, 20], x: [10, 4], y: [1, 2] },
      ask: ({ a, b, x, y }) =>
        `<var>f</var> = ½(${a}<var>x</var>² + ${b}<var>y</var>²) at (${x}, ${y}). Which rate leads lowest along the gradient?`,
      answer: { kind: 'numbers', labels: ['rate'], decimals: 3 },
      async solve({ a, b, x, y }, tell) {
        const f = (p: Tensor<[2]>) =>
          p
            .square()
            .mul(tensor([a, b]))
            .sum()
            .mul(0.5);
        const at = tensor([x, y]);
        const g = grad(f)(at);
        const H = hessian(f, at);
        await tell('g', g);
        await tell('H', H);
        const [above, below] = [await g.square().sum().item(), await g.mul(H.matmul(g)).sum().item()];
        await tell('gᵀg / gᵀHg', above / below);
        await tell('f before and after', `${await f(at).item()} and ${await f(at.sub(g.mul(above / below))).item()}`);
        return [above / below];
      },
    }),
    exercise({
      id: 'L5.5',
      title: 'Iterations of an epoch',
      given: { images: 2 ** 20, batch: 64 },
      vary: { images: [2 ** 20, 50_000, 1797], batch: [64, 100, 256] },
      ask: ({ images, batch }) =>
        `How many iterations has an epoch of ${images} images in mini-batches of ${batch} (the last may be smaller)?`,
      answer: { kind: 'numbers', labels: ['iterations'] },
      async solve({ images, batch }, tell) {
        await tell('Images / batch', images / batch);
        return [Math.ceil(images / batch)];
      },
    }),
    exercise({
      id: 'L6.1',
      title: 'A rate that falls',
      given: { start: 0.1, decay: 1, epoch: 3 },
      vary: { start: [0.1, 0.01], decay: [1, 0.5, 2], epoch: [3, 1, 5] },
      ask: ({ start, decay, epoch }) =>
        `α = α₀ / (1 + ${decay}·epoch) with α₀ = ${start}. What is the rate in epoch ${epoch}, counted from 0?`,
      answer: { kind: 'numbers', labels: ['rate'], decimals: 4 },
      async solve({ start, decay, epoch }, tell) {
        const rates = tensor([0, 1, 2, 3, 4, 5]).mul(decay).add(1).pow(-1).mul(start);
        await tell('Epochs 0 to 5', rates);
        return [Number((await rates.data())[epoch])];
      },
    }),
    exercise({
      id: 'L6.2',
      title: 'A loss that stays too high',
      given: { classes: 10 },
      vary: { classes: [10, 2, 100] },
      ask: ({ classes }) =>
        `By mistake, softmax stands before a cross entropy that has one of its own. How low can the loss of ${classes} classes get?`,
      answer: { kind: 'numbers', labels: ['loss'], decimals: 2 },
      async solve({ classes }, tell) {
        const perfect = zeros([1, classes]).add(
          tensor([[1, ...Array.from({ length: classes - 1 }, () => 0)]]).mul(100),
        );
        const label = tensor([0], { dtype: 'int32' });
        await tell('Loss of a perfect network', crossEntropy(perfect, label));
        const twice = crossEntropy(perfect.softmax(1), label);
        await tell('With softmax twice: logits are 1 and 0', twice);
        return [await twice.item()];
      },
    }),
    exercise({
      id: 'L6.3',
      title: 'Without zeroGrad',
      given: { steps: 3, g: 2 },
      vary: { steps: [3, 5, 2], g: [2, 1, -1] },
      ask: ({ steps, g }) =>
        `The gradient of a loss is always ${g}. What does the parameter’s gradient hold after ${steps} backward passes, if zeroGrad is never called?`,
      answer: { kind: 'numbers', labels: ['gradient'] },
      async solve({ steps, g }, tell) {
        const w = tensor([1], { requiresGrad: true });
        for (let i = 1; i <= steps; i++) {
          w.mul(g).sum().backward();
          await tell(`After pass ${i}`, w.grad ?? 0);
        }
        if (!w.grad) throw new Error('there is a gradient');
        return [await w.grad.sum().item()];
      },
    }),
    exercise({
      id: 'L6.4',
      title: 'A step, over and over',
      given: { start: 0.1, part: 0.5, every: 10, epoch: 25 },
      vary: { start: [0.1, 1], part: [0.5, 0.1], every: [10, 5], epoch: [25, 30, 12] },
      ask: ({ start, part, every, epoch }) =>
        `Every ${every} epochs the rate, ${start} at first, is multiplied by ${part}. What is it in epoch ${epoch}, counted from 0?`,
      answer: { kind: 'numbers', labels: ['rate'], decimals: 5 },
      async solve({ start, part, every, epoch }, tell) {
        manualSeed(0);
        const w = randn([1], { requiresGrad: true });
        const optimizer = new SGD([w], { lr: start });
        for (let e = 1; e <= epoch; e++) {
          if (e % every !== 0) continue;
          for (const group of optimizer.groups) group.lr *= part;
          await tell(`From epoch ${e}`, optimizer.groups[0]?.lr);
        }
        return [optimizer.groups[0]?.lr ?? NaN];
      },
    }),
  ],
};
