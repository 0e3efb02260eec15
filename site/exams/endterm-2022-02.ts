import { type Tensor, grad, hessian, manualSeed, maxPool2d, ones, randn, tensor, zeros } from 'nabla';
import { KMeans } from 'nabla/classic';
import { digits } from 'nabla/data';
import { BatchNorm1d, BatchNorm2d, Conv2d, Dropout, Linear, MaxPool2d, Sequential, Softplus, mseLoss } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import source from 'source:./endterm-2022-02.ts';
import { type Exam, exercise } from './exercise.js';

const NETWORK =
  'Three blocks of a 3×3 convolution (padding 1), 2×2 max pooling, batch norm and ReLU have 8, 16 and 32 filters; then the map is flattened.';
const NEURON =
  '<var>z</var> = <var>Xw</var> + <var>b</var>, <var>y</var> = σ(<var>z</var>) with <var>w</var> = (1, 2), <var>b</var> = 2.';
const rows = { a1: 1, a2: 1, b1: 0, b2: -1 };
const otherRows = { a1: [1, 0, 2], a2: [1, -1, 0], b1: [0, 1, -1], b2: [-1, 0, -2] };

export const endterm202202: Exam = {
  name: 'endterm-2022-02',
  title: 'Endterm',
  date: '8 February 2022',
  source,
  exercises: [
    exercise({
      id: '1.3',
      title: 'Larger images',
      given: { times: 2 },
      vary: { times: [2, 3, 4] },
      ask: ({ times }) =>
        `Images become ${times} times as high and as wide. By what factor do the parameters of a convolutional network grow, and by what factor its multiplications?`,
      answer: { kind: 'numbers', labels: ['parameters', 'multiplications'] },
      async solve({ times }, tell) {
        const model = new Sequential(new Conv2d(3, 8, 3, { padding: 1 }), new Conv2d(8, 5, 1));
        const small = model.summary(zeros([1, 3, 16, 16]));
        const large = model.summary(zeros([1, 3, 16 * times, 16 * times]));
        await tell('Parameters before and after', `${small.parameters} and ${large.parameters}`);
        await tell('Multiplications before and after', `${small.multiplyAdds} and ${large.multiplyAdds}`);
        return [large.parameters / small.parameters, large.multiplyAdds / small.multiplyAdds];
      },
    }),
    exercise({
      id: '1.5',
      title: 'What ReLU may change places with',
      given: {},
      ask: () => 'With which of these does ReLU commute: is the result the same whichever comes first?',
      answer: { kind: 'ticks', options: ['dropout of the same neurons', 'max pooling', 'batch norm', 'sigmoid'] },
      async solve(_, tell) {
        manualSeed(1);
        const x = randn([2, 3, 4, 4]);
        const [drop, norm] = [new Dropout(0.5), new BatchNorm2d(3)];
        const same = (v: Tensor<[2, 3, 4, 4]>) => {
          manualSeed(2); // drops the same neurons each time
          return drop.forward(v);
        };
        const gaps: Record<string, Tensor> = {
          dropout: same(x.relu()).sub(same(x).relu()),
          'max pooling': maxPool2d(x.relu(), 2).sub(maxPool2d(x, 2).relu()),
          'batch norm': norm.forward(x.relu()).sub(norm.forward(x).relu()),
          sigmoid: x.relu().sigmoid().sub(x.sigmoid().relu()),
        };
        const answers: number[] = [];
        for (const [name, gap] of Object.entries(gaps)) {
          const largest = await gap.abs().max().item();
          await tell(`${name}: largest difference`, largest);
          answers.push(largest < 1e-5 ? 1 : 0);
        }
        return answers;
      },
    }),
    exercise({
      id: '1.7',
      title: 'Gradients of mini-batches',
      given: {},
      ask: () =>
        'Twelve samples are cut into three batches of four; the loss is a mean. Which of these hold for the gradients at the same weights?',
      answer: {
        kind: 'ticks',
        options: [
          'The mean over the batches is the gradient of the whole',
          'Each batch has the gradient of the whole',
          'One batch of all has the gradient of the whole',
        ],
      },
      async solve(_, tell) {
        manualSeed(3);
        const [x, y] = [randn([12, 3]), randn([12, 1])];
        const slope = (from: number, to: number) =>
          grad((w: Tensor<[3, 1]>) => mseLoss(x.slice(0, from, to).matmul(w), y.slice(0, from, to)))(ones([3, 1]));
        const whole = slope(0, 12);
        await tell('Gradient of the whole', whole);
        const [a, b, c] = [slope(0, 4), slope(4, 8), slope(8, 12)];
        await tell('Of the first batch', a);
        const mean = a.add(b).add(c).div(3);
        await tell('Mean over the batches', mean);
        const gap = async (v: Tensor) => ((await v.sub(whole).abs().max().item()) < 1e-5 ? 1 : 0);
        return [await gap(mean), await gap(a), await gap(slope(0, 12))];
      },
    }),
    exercise({
      id: '2.2',
      title: 'A smooth ReLU',
      given: { x: 2 },
      vary: { x: [2, 1, -1, 3] },
      ask: ({ x }) =>
        `<var>f</var>(<var>x</var>) = ln(1 + e<sup><var>x</var></sup>). How far is it from ReLU at 0, and at ${x}? What is its slope at 0?`,
      answer: { kind: 'numbers', labels: ['at 0', `at the other`, 'slope at 0'], decimals: 3 },
      async solve({ x }, tell) {
        const at = tensor([0, x]);
        const soft = new Softplus();
        const gap = soft.forward(at).sub(at.relu());
        await tell('ln(1 + eˣ) − ReLU(x)', gap);
        const slope = grad((v: Tensor<[2]>) => soft.forward(v).sum())(at);
        await tell('The slope is σ(x)', slope);
        return [...Array.from(await gap.data(), Number), Number((await slope.data())[0])];
      },
    }),
    exercise({
      id: '2.5',
      title: 'Two dropout layers in a row',
      given: { p: 0.2, q: 0.5 },
      vary: { p: [0.2, 0.1, 0.3], q: [0.5, 0.4, 0.6] },
      ask: ({ p, q }) =>
        `Two dropout layers in a row drop with probability ${p} and ${q}. With which probability does a neuron go?`,
      answer: { kind: 'numbers', labels: ['probability'], decimals: 2 },
      async solve({ p, q }, tell) {
        await tell('A neuron stays with (1 − p)(1 − q)', (1 - p) * (1 - q));
        manualSeed(4);
        const y = new Dropout(q).forward(new Dropout(p).forward(ones([100_000])));
        const gone = await y.eq(0).to('float32').mean().item();
        await tell('Of 100 000 neurons are gone, the part', gone);
        await tell('Mean of what is left, scaled up', y.mean());
        return [1 - (1 - p) * (1 - q)];
      },
    }),
    exercise({
      id: '2.6',
      title: 'Learnt by heart',
      given: { n: 4 },
      vary: { n: [4, 5, 6] },
      ask: ({ n }) =>
        `k-means on ${n} different samples, without labels: with how many clusters is the error zero? What is the error then?`,
      answer: { kind: 'numbers', labels: ['clusters', 'error'] },
      async solve({ n }, tell) {
        manualSeed(1);
        const points = Array.from({ length: n }, (_, i) => [i, (i * 7) % 5]);
        let [found, least] = [n, NaN];
        for (let clusters = n; clusters >= 1; clusters--) {
          const { inertia } = await new KMeans({ clusters, starts: 10 }).fit(points);
          await tell(`Error with ${clusters} clusters`, inertia);
          if (clusters === n || inertia < 1e-6) [found, least] = [clusters, inertia];
        }
        return [found, least];
      },
    }),
    exercise({
      id: '3.3',
      title: 'Groups that nobody has named',
      given: {},
      ask: () =>
        'k-means finds ten clusters in the pixels of ten kinds of digits, without labels. About which part of the images lies in a cluster where most show its digit?',
      answer: { kind: 'choice', options: ['about 10 %, as by chance', 'more than 60 %', 'all of them'] },
      async solve(_, tell) {
        manualSeed(0);
        const set = digits();
        const labels = Array.from(set.column('y'), Number).slice(0, 600);
        const pixels = Array.from(set.column('x'), Number);
        const images = labels.map((_, i) => pixels.slice(64 * i, 64 * (i + 1)));
        const found = await new KMeans({ clusters: 10, starts: 3 }).fit(images);
        let right = 0;
        for (let cluster = 0; cluster < 10; cluster++) {
          const own = labels.filter((_, i) => found.labels[i] === cluster);
          const counts = Array.from({ length: 10 }, (_, digit) => own.filter((label) => label === digit).length);
          await tell(`Cluster ${cluster + 1}: how many of each digit`, counts.join(' '));
          right += Math.max(...counts);
        }
        await tell('Part that shows its cluster’s digit', right / labels.length);
        return [right === labels.length ? 2 : right / labels.length > 0.6 ? 1 : 0];
      },
    }),
    exercise({
      id: '4.1, 4.2',
      title: 'Features of a network',
      given: { side: 80, classes: 4 },
      vary: { side: [80, 64, 96], classes: [4, 10, 2] },
      ask: ({ side, classes }) =>
        `${NETWORK} How many features are there for images of 3×${side}×${side}, and how many parameters has a linear layer from them to ${classes} classes?`,
      answer: { kind: 'numbers', labels: ['features', 'parameters'] },
      async solve({ side, classes }, tell) {
        let map: Tensor = zeros([1, 3, side, side]);
        for (const [from, to] of [
          [3, 8],
          [8, 16],
          [16, 32],
        ] as const) {
          map = new MaxPool2d(2).forward(new Conv2d(from, to, 3, { padding: 1 }).forward(map));
          await tell('Behind a block', map.shape.slice(1).join('×'));
        }
        const layer = new Linear(map.size, classes);
        const count = layer.parameters().reduce((sum, p) => sum + p.size, 0);
        await tell(`${map.size}·${classes} + ${classes}`, count);
        return [map.size, count];
      },
    }),
    exercise({
      id: '4.3',
      title: 'Over what batch norm takes its means',
      given: { n: 4, c: 3, h: 5, w: 5, features: 6 },
      vary: { n: [4, 8, 16], c: [3, 8], h: [5, 7], w: [5, 6], features: [6, 10] },
      ask: ({ n, c, h, w, features }) =>
        `How many means does batch norm take of a batch of ${n}×${c}×${h}×${w} behind a convolution, over how many numbers each? And of ${n}×${features} behind a linear layer?`,
      answer: { kind: 'numbers', labels: ['means (conv.)', 'numbers (conv.)', 'means (linear)', 'numbers (linear)'] },
      async solve({ n, c, h, w, features }, tell) {
        manualSeed(5);
        const maps = randn([n, c, h, w]).mul(2).add(1);
        const rows = randn([n, features]).mul(2).add(1);
        const [mapMeans, rowMeans] = [maps.mean([0, 2, 3]), rows.mean(0)];
        await tell('Means of each channel', mapMeans);
        await tell('Behind batch norm', new BatchNorm2d(c).forward(maps).mean([0, 2, 3]));
        await tell('Means of each feature', rowMeans);
        await tell('Behind batch norm', new BatchNorm1d(features).forward(rows).mean(0));
        return [mapMeans.size, maps.size / mapMeans.size, rowMeans.size, rows.size / rowMeans.size];
      },
    }),
    exercise({
      id: '4.4',
      title: 'Parameters of the first convolution',
      given: { channels: 3, filters: 8, kernel: 3 },
      vary: { channels: [3, 1, 4], filters: [8, 16, 32], kernel: [3, 5, 7] },
      ask: ({ channels, filters, kernel }) =>
        `How many parameters has a convolution from ${channels} to ${filters} channels with kernels of ${kernel}×${kernel} and biases?`,
      answer: { kind: 'numbers', labels: ['parameters'] },
      async solve({ channels, filters, kernel }, tell) {
        const conv = new Conv2d(channels, filters, kernel);
        await tell(`Weights: ${filters}·${channels}·${kernel}·${kernel}`, conv.weight.size);
        await tell('Biases', conv.bias?.size);
        return [conv.parameters().reduce((sum, p) => sum + p.size, 0)];
      },
    }),
    exercise({
      id: '4.5',
      title: 'Parameters of all batch norm layers',
      given: { a: 8, b: 16, c: 32 },
      vary: { a: [8, 4], b: [16, 12], c: [32, 64] },
      ask: ({ a, b, c }) =>
        `Batch norm stands behind convolutions with ${a}, ${b} and ${c} filters. How many numbers do the three learn together?`,
      answer: { kind: 'numbers', labels: ['parameters'] },
      async solve({ a, b, c }, tell) {
        let sum = 0;
        for (const filters of [a, b, c]) {
          const count = new BatchNorm2d(filters).parameters().reduce((all, p) => all + p.size, 0);
          await tell(`γ and β behind ${filters} filters`, count);
          sum += count;
        }
        return [sum];
      },
    }),
    exercise({
      id: '5.5, 5.6',
      title: 'A rate that is too large',
      given: { start: 5, rate: 1 },
      vary: { start: [5, 3, -2] },
      ask: ({ start, rate }) =>
        `Gradient descent on <var>x</var>² starts at ${start} with rate ${rate}. Where is it after one step, and after two? Does it ever arrive (1 for yes, 0 for no)?`,
      answer: { kind: 'numbers', labels: ['after one', 'after two', 'arrives'], decimals: 3 },
      async solve({ start, rate }, tell) {
        const x = tensor(start, { requiresGrad: true });
        const optimizer = new SGD([x], { lr: rate });
        const path: number[] = [];
        for (let step = 0; step < 50; step++) {
          optimizer.zeroGrad();
          x.square().backward();
          await optimizer.step();
          path.push(await x.detach().item());
        }
        await tell('The first six steps', path.slice(0, 6).join(', '));
        await tell('After fifty', path[49]);
        return [Number(path[0]), Number(path[1]), Math.abs(Number(path[49])) < 1e-3 ? 1 : 0];
      },
    }),
    exercise({
      id: '5.7',
      title: 'A rate that converges',
      given: { start: 5, rate: 0.25 },
      vary: { start: [5, 8, -4], rate: [0.25, 0.1, 0.4] },
      ask: ({ start, rate }) =>
        `Gradient descent on <var>x</var>² starts at ${start} with rate ${rate}. Where is it after two steps? With which rate does it arrive in one?`,
      answer: { kind: 'numbers', labels: ['after two', 'best rate'], decimals: 3 },
      async solve({ start, rate }, tell) {
        const x = tensor(start, { requiresGrad: true });
        const optimizer = new SGD([x], { lr: rate });
        for (let step = 1; step <= 2; step++) {
          optimizer.zeroGrad();
          x.square().backward();
          await optimizer.step();
          await tell(`Step ${step}: x·(1 − 2·${rate})`, x.detach());
        }
        const curvature = await hessian((v: Tensor<[]>) => v.square(), tensor(start))
          .sum()
          .item();
        await tell('The second derivative; the best rate is 1 over it', curvature);
        return [await x.detach().item(), 1 / curvature];
      },
    }),
    exercise({
      id: '5.9',
      title: 'Newton’s step',
      given: { start: 5 },
      vary: { start: [5, -3, 8, 100] },
      ask: ({ start }) => `Where does Newton’s method arrive in one step on <var>x</var>² from ${start}?`,
      answer: { kind: 'numbers', labels: ['x'], decimals: 4 },
      async solve({ start }, tell) {
        const f = (v: Tensor<[]>) => v.square();
        const x = tensor(start);
        const [first, second] = [await grad(f)(x).item(), await hessian(f, x).sum().item()];
        await tell('f′', first);
        await tell('f″', second);
        await tell('x − f′/f″', start - first / second);
        return [start - first / second];
      },
    }),
    exercise({
      id: '6.1, 6.2',
      title: 'The slope of the sigmoid',
      given: { x: 1 },
      vary: { x: [1, 0, -0.5, 4] },
      ask: ({ x }) => `What are <var>y</var> = σ(${x}) and its slope there?`,
      answer: { kind: 'numbers', labels: ['y', 'slope'], decimals: 3 },
      async solve({ x }, tell) {
        const at = tensor(x);
        const y = await at.sigmoid().item();
        await tell('y = 1/(1 + e⁻ˣ)', y);
        await tell('y(1 − y)', y * (1 - y));
        const slope = grad((v: Tensor<[]>) => v.sigmoid())(at);
        await tell('What nabla derives', slope);
        return [y, await slope.item()];
      },
    }),
    exercise({
      id: '6',
      title: 'One neuron, forward',
      given: rows,
      vary: otherRows,
      ask: ({ a1, a2, b1, b2 }) =>
        `${NEURON} The rows of <var>X</var> are (${a1}, ${a2}) and (${b1}, ${b2}). What are <var>z</var> and <var>y</var>?`,
      answer: { kind: 'numbers', labels: ['z₁', 'z₂', 'y₁', 'y₂'], decimals: 2 },
      async solve({ a1, a2, b1, b2 }, tell) {
        const z = tensor([
          [a1, a2],
          [b1, b2],
        ])
          .matmul(tensor([[1], [2]]))
          .add(2);
        await tell('z', z);
        await tell('y', z.sigmoid());
        return [...(await z.data()), ...(await z.sigmoid().data())].map(Number);
      },
    }),
    exercise({
      id: '6.3',
      title: 'One neuron, through the sigmoid',
      given: rows,
      vary: otherRows,
      ask: ({ a1, a2, b1, b2 }) =>
        `${NEURON} The rows of <var>X</var> are (${a1}, ${a2}) and (${b1}, ${b2}). What is ∂<var>y</var>/∂<var>z</var> in both rows?`,
      answer: { kind: 'numbers', labels: ['first', 'second'], decimals: 3 },
      async solve({ a1, a2, b1, b2 }, tell) {
        const z = tensor([
          [a1, a2],
          [b1, b2],
        ])
          .matmul(tensor([[1], [2]]))
          .add(2);
        const y = z.sigmoid();
        await tell('y', y);
        const slope = y.mul(y.neg().add(1));
        await tell('y(1 − y)', slope);
        return Array.from(await slope.data(), Number);
      },
    }),
    exercise({
      id: '6.4',
      title: 'One neuron, backward',
      given: rows,
      vary: otherRows,
      ask: ({ a1, a2, b1, b2 }) =>
        `${NEURON} The rows of <var>X</var> are (${a1}, ${a2}) and (${b1}, ${b2}), the loss is <var>y</var><sub>1</sub> + <var>y</var><sub>2</sub>. What are its derivatives by <var>w</var> and <var>b</var>?`,
      answer: { kind: 'numbers', labels: ['∂/∂w₁', '∂/∂w₂', '∂/∂b'], decimals: 3 },
      async solve({ a1, a2, b1, b2 }, tell) {
        const layer = new Linear(2, 1);
        layer.weight.assign_(tensor([[1, 2]]));
        layer.bias?.assign_(tensor([2]));
        const z = layer.forward(
          tensor([
            [a1, a2],
            [b1, b2],
          ]),
        );
        const y = z.sigmoid();
        await tell('dout = y(1 − y)', y.mul(y.neg().add(1)).detach());
        y.sum().backward();
        const [dW, db] = [layer.weight.grad, layer.bias?.grad];
        if (!dW || !db) throw new Error('there are gradients');
        await tell('dw = Xᵀ·dout', dW);
        await tell('db = the sum of dout', db);
        return [...(await dW.data()), ...(await db.data())].map(Number);
      },
    }),
    exercise({
      id: '7.4',
      title: 'A sum instead of a mean',
      given: { n: 4, steps: 10 },
      vary: { n: [4, 2, 8], steps: [10, 5] },
      ask: ({ n, steps }) =>
        `Two train with the same rate 0.1 from <var>w</var> = 3: one with the loss (<var>w</var> − 1)², one with 1/${n} of it. Where is each after ${steps} steps of gradient descent?`,
      answer: { kind: 'numbers', labels: ['whole loss', 'part of it'], decimals: 2 },
      async solve({ n, steps }, tell) {
        const ends: number[] = [];
        for (const scale of [1, 1 / n]) {
          const w = tensor(3, { requiresGrad: true });
          const optimizer = new SGD([w], { lr: 0.1 });
          const path: string[] = [];
          for (let i = 0; i < steps; i++) {
            optimizer.zeroGrad();
            w.sub(1).square().mul(scale).backward();
            await optimizer.step();
            path.push((await w.detach().item()).toFixed(3));
          }
          await tell(`The way with ${scale} times the loss`, path.join(', '));
          ends.push(await w.detach().item());
        }
        await tell('Both go to 1: the optimum is the same', '');
        return ends;
      },
    }),
  ],
};
