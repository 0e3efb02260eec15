// k-means, PCA, nearest neighbours and softmax regression on MNIST, by CPU time; the same as tools/parity/classic_speed.py does with scikit-learn.
//   node tools/parity/classic_speed.mjs [rows]     (NABLA_DATA says where MNIST is; build first)
import { mnist } from '../../dist/data/index.js';
import { KMeans, KNeighborsClassifier, PCA, SoftmaxRegression } from '../../dist/classic/index.js';
import { tensor } from '../../dist/index.js';

const rows = Number(process.argv[2] ?? 60_000);
const only = process.argv[3];
const { train, test } = await mnist();
const tableOf = (set, count) => {
  const { x, y } = set.gather(Int32Array.from({ length: count }, (_, i) => i));
  const pixels = new Float32Array(x.data.length);
  for (let i = 0; i < pixels.length; i++) pixels[i] = x.data[i] / 255;
  return { x: tensor(pixels, { shape: [count, 784] }), y: Array.from(y.data) };
};
const [a, b] = [tableOf(train, rows), tableOf(test, Math.min(10_000, rows))];

async function timed(name, run) {
  if (only !== undefined && only !== name) return;
  // The first time programs are compiled, too.
  for (const which of ['first', 'again']) {
    const [cpu, wall] = [process.cpuUsage(), performance.now()];
    const result = await run();
    const { user, system } = process.cpuUsage(cpu);
    console.log(
      `${name}, ${which}: ${((user + system) / 1e6).toFixed(2)} s CPU, ${((performance.now() - wall) / 1000).toFixed(2)} s wall; ${result}`,
    );
  }
}

const init = a.x.slice(0, 0, 10);
await timed('kmeans', async () => {
  const model = await new KMeans({ clusters: 10, init, maxIterations: 30, tolerance: 0 }).fit(a.x);
  return `inertia ${model.inertia.toFixed(0)} after ${model.iterations}`;
});
await timed('pca', async () => {
  const model = await new PCA({ components: 50 }).fit(a.x);
  const z = await model.transform(a.x);
  await z.data();
  const kept = (await model.explainedVarianceRatio.data()).reduce((s, v) => s + v, 0);
  return `keeps ${kept.toFixed(5)}`;
});
await timed('softmax', async () => {
  const model = await new SoftmaxRegression({ solver: 'l-bfgs', maxIterations: 50, tolerance: 1e-4 }).fit(a.x, a.y);
  return `score ${(await model.score(b.x, b.y)).toFixed(4)} after ${model.iterations}, cost ${model.history.at(-1).toFixed(5)}`;
});
await timed('knn', async () => {
  const model = await new KNeighborsClassifier({ k: 5 }).fit(a.x, a.y);
  return `score ${(await model.score(b.x, b.y)).toFixed(4)}`;
});
process.exit(0);
