// What `npm run recipes` runs: a row for each recipe, with the figure that it is about.
//   preset    trained with `nabla train PRESET --seed N`, `set` being settings other than the defaults; `metric`, or each of `figures`, is one
//             of the test data; `needs` are settings that name the run folder of another row, with the same seed, which comes before
//   program   of examples/, given `arguments` and the seed; `figures` finds its figures in what it prints
//   wanted    what the mean over the seeds has to reach, as [≥ or ≤, number]

/**
 * @typedef {readonly ['≥' | '≤', number]} Wanted
 * @typedef {{ metric: string, wanted?: Wanted }} Figure
 * @typedef {{ name: string, preset: string, set?: Record<string, string | number | boolean>, needs?: Record<string, string> } & (Figure | { figures: readonly Figure[] })} PresetRow
 * @typedef {{ name: string, program: string, arguments?: readonly string[], figures: readonly { metric: string, pattern: RegExp, wanted?: Wanted }[] }} ProgramRow
 */

/** What a classifier says of 1,000 samples. */
const JUDGED = [
  { metric: 'sure', wanted: ['≥', 0.8] },
  { metric: 'classes', wanted: ['≥', 10] },
];

/** @type {readonly (PresetRow | ProgramRow)[]} */
export const ROWS = [
  { name: 'digits', preset: 'digits', metric: 'accuracy', wanted: ['≥', 0.98] },
  { name: 'mnist', preset: 'mnist', metric: 'accuracy', wanted: ['≥', 0.99] },
  { name: 'cifar10', preset: 'cifar10', metric: 'accuracy' },
  {
    name: 'cora',
    program: 'examples/graphs.ts',
    arguments: ['cora'],
    figures: [
      { metric: 'GCN, test accuracy in %', pattern: /GCN: .*test (\S+) %/, wanted: ['≥', 81] },
      { metric: 'GAT, test accuracy in %', pattern: /GAT: .*test (\S+) %/, wanted: ['≥', 82] },
    ],
  },
  {
    name: 'citeseer',
    program: 'examples/graphs.ts',
    arguments: ['citeseer'],
    figures: [{ metric: 'GCN, test accuracy in %', pattern: /GCN: .*test (\S+) %/, wanted: ['≥', 69.5] }],
  },
  { name: 'segmentation-unet', preset: 'shapes-segmentation', metric: 'meanIoU', wanted: ['≥', 0.95] },
  {
    name: 'segmentation-segnet',
    preset: 'shapes-segmentation',
    set: { model: 'segnet' },
    metric: 'meanIoU',
    wanted: ['≥', 0.9],
  },
  {
    name: 'segmentation-fcn',
    preset: 'shapes-segmentation',
    set: { model: 'fcn' },
    metric: 'meanIoU',
    wanted: ['≥', 0.9],
  },
  { name: 'membrane', preset: 'membrane', metric: 'accuracy', wanted: ['≥', 0.92] },
  { name: 'detection', preset: 'shapes-detection', metric: 'mAP', wanted: ['≥', 0.6] },
  { name: 'tracks', preset: 'tracks', metric: 'IDF1', wanted: ['≥', 0.95] },
  {
    name: 'graph-kinds',
    program: 'examples/graph-kinds.ts',
    figures: [{ metric: 'test accuracy in %', pattern: /test accuracy (\S+) %/, wanted: ['≥', 90] }],
  },
  { name: 'spam', preset: 'spam', metric: 'f1', wanted: ['≥', 0.95] },
  { name: 'spam-transformer', preset: 'spam', set: { model: 'transformer' }, metric: 'f1', wanted: ['≥', 0.95] },
  { name: 'dates', preset: 'translate', metric: 'exact', wanted: ['≥', 0.95] },
  { name: 'dates-gru', preset: 'translate', set: { model: 'gru' }, metric: 'exact', wanted: ['≥', 0.95] },
  {
    name: 'de-en',
    preset: 'translate',
    set: { task: 'multi30k', width: 128, warmup: 800, averageFrom: 12 },
    metric: 'bleuOfBeams',
    wanted: ['≥', 30],
  },
  {
    name: 'de-en-gru',
    preset: 'translate',
    set: { task: 'multi30k', model: 'gru', width: 128, warmup: 800, averageFrom: 12, dropout: 0.2 },
    metric: 'bleuOfBeams',
    wanted: ['≥', 25],
  },
  { name: 'captions', preset: 'captions', metric: 'exact', wanted: ['≥', 0.95] },
  { name: 'captions-gru', preset: 'captions', set: { decoder: 'gru' }, metric: 'exact', wanted: ['≥', 0.95] },
  { name: 'moving-shapes', preset: 'moving-shapes', metric: 'squaredError' },
  { name: 'frozen-lake', preset: 'frozen-lake', metric: 'return' },
  { name: 'cartpole-dqn', preset: 'cartpole-dqn', metric: 'return', wanted: ['≥', 475] },
  { name: 'cartpole-ppo', preset: 'cartpole-ppo', metric: 'return', wanted: ['≥', 475] },
  { name: 'vae', preset: 'vae', metric: 'loss', wanted: ['≤', 105] }, // the negative ELBO
  { name: 'dcgan', preset: 'dcgan', needs: { judge: 'mnist' }, figures: JUDGED },
  { name: 'ddpm', preset: 'ddpm', needs: { judge: 'mnist' }, figures: JUDGED },
  { name: 'encoder', preset: 'autoencoder', set: { model: 'conv', latent: 32 }, metric: 'loss' },
  {
    name: 'few-labels-100',
    preset: 'few-labels',
    needs: { encoder: 'encoder' },
    metric: 'accuracy',
  },
  { name: 'few-labels-100-scratch', preset: 'few-labels', metric: 'accuracy' },
  {
    name: 'few-labels-1000',
    preset: 'few-labels',
    set: { labels: 1000 },
    needs: { encoder: 'encoder' },
    metric: 'accuracy',
  },
  { name: 'few-labels-1000-scratch', preset: 'few-labels', set: { labels: 1000 }, metric: 'accuracy' },
  { name: 'simclr', preset: 'simclr', figures: [{ metric: 'probe' }, { metric: 'gain', wanted: ['≥', 0.12] }] },
  { name: 'half', preset: 'transfer', set: { epochs: 5 }, metric: 'accuracy' },
  {
    name: 'transfer',
    preset: 'transfer',
    set: { classes: '56789', labels: 50 },
    needs: { base: 'half' },
    metric: 'accuracy',
  },
  { name: 'transfer-scratch', preset: 'transfer', set: { classes: '56789', labels: 50 }, metric: 'accuracy' },
];
