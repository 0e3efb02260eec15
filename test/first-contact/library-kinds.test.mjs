/* oxlint-disable import/namespace -- every public function is looked up by its name */
// Arguments of a wrong kind around the tensors, as callers without types pass them: datasets, loaders, readers, transforms,
// metrics, containers, schedules, derivatives, weights, the Trainer, runs, searches. `sweep.mjs` says what each is tried with.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as nabla from 'nabla';
import * as audio from 'nabla/audio';
import * as data from 'nabla/data';
import * as transforms from 'nabla/data/transforms';
import * as io from 'nabla/io';
import * as metrics from 'nabla/metrics';
import * as models from 'nabla/models';
import * as nn from 'nabla/nn';
import * as optim from 'nabla/optim';
import * as text from 'nabla/text';
import * as train from 'nabla/train';
import * as vision from 'nabla/vision';
import { I, N, Operand, Options, T, argument, sweep } from './sweep.mjs';

const { customOp, tensor, zeros } = nabla;
const { functional } = transforms;

const folder = mkdtempSync(join(tmpdir(), 'nabla-kinds-'));
const before = process.cwd();
beforeAll(() => process.chdir(folder)); // texts are paths of files that are written
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

const Fn = argument('function');
const OptionalFn = argument('function', 'undefined');
const Text = argument('string');
const OptionalText = argument('string', 'undefined');
const Numbers = argument('float32array');
const Optionally = argument('undefined');
const NumberOnly = argument('number');
const OptionalNumber = argument('number', 'undefined');
const Record = argument('object');
const Start = argument('tensor', 'tensors', 'float32array');
const Sized = argument('list', 'tensors', 'float32array');

const x = zeros([2, 3]);
const labels = tensor(new Int32Array([0, 1]));
const tokens = tensor(new Int32Array([1, 2]), { shape: [1, 2] });
const boxes = tensor([
  [0, 0, 2, 2],
  [1, 1, 4, 4],
]);
const maps = zeros([1, 2, 8, 8]);
const toLogits = (at) => at.mean([2, 3]);
const layer = new nn.ReLU();
const throughLayer = (at) => layer.forward(at).mean([2, 3]);
const sound = zeros([1, 64]);
const spectra = zeros([5, 9]);
const set = () =>
  new data.ArrayDataset({
    x: { data: new Float32Array(12), shape: [2] },
    y: { data: new Int32Array(6), shape: [] },
  });
const image = { data: new Float32Array(3 * 8 * 8), shape: [3, 8, 8] };
const random = new data.HostRandom(1);
const table = () => data.parseCsv('a,b,c\n1,2,u\n3,4,v\n5,6,u\n');
const words = () => new data.WordVocabulary(['<unk>', 'a', 'b']);
const characters = () => new data.CharVocabulary(['a', 'b', 'c']);
/** Where one tensor is taken, a list of them is as well. */
const first = (t) => (Array.isArray(t) ? t[0] : t);
/** A tensor, or all of a list of tensors, as one vector. */
const all = (t) => (Array.isArray(t) ? nabla.cat(t) : t);
const square = (t) => first(t).mul(first(t));
const linear = () => new nn.Linear(2, 2);
const captioner = () => new models.Captioner({ vocabulary: 5, size: 8, width: 8 }).eval();
const start = (options) => {
  const model = linear();
  return new train.Trainer({
    model,
    optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
    train: new data.DataLoader(set(), { batchSize: 3 }),
    epochs: 1,
    ...options,
  });
};
const fit = (options) => start(options).fit();
const uint8 = new Uint8Array([1, 2, 3]);

const EVENTS = [{ event: 'epoch', epoch: 1, step: 1, seconds: 1, lr: 0.1, train: { loss: 1 }, samplesPerSecond: 1 }];

/** Each option of a call in turn, as an argument of its own. */
const each = (name, call, good, options) =>
  Object.fromEntries(
    Object.entries(options).map(([option, arg]) => [
      `${name}, option ${option}`,
      [(value) => call({ ...good, [option]: value }), arg],
    ]),
  );

/** Calls by the name that their errors begin with. */
const CALLS = {
  // datasets
  ArrayDataset: [(...a) => new data.ArrayDataset(...a), I({ x: { data: new Float32Array(2), shape: [] } })],
  'ArrayDataset, a field': [
    (field) => new data.ArrayDataset({ x: field }),
    I({ data: new Float32Array(2), shape: [] }),
  ],
  'ArrayDataset, data of a field': [
    (values) => new data.ArrayDataset({ x: { data: values, shape: [] } }),
    Numbers(new Float32Array(2)),
  ],
  'ArrayDataset, shape of a field': [
    (shape) => new data.ArrayDataset({ x: { data: new Float32Array(2), shape } }),
    I([2]),
  ],
  get: [(i) => set().get(i), I(0)],
  batch: [(list) => set().batch(list), Numbers([0])],
  gather: [(list) => set().gather(list), Numbers([0])],
  subset: [(list) => set().subset(list), Numbers([0])],
  column: [(name) => set().column(name), I('x')],
  transformed: [(name, fn) => set().transformed(name, fn), I('x'), Fn((t) => t)],
  transformedSamples: [(fn) => set().transformedSamples(fn), Fn((t) => t)],
  augmented: [(fn) => set().augmented(fn), Fn(() => {})],
  split: [(parts, options) => set().split(parts, options), I({ a: 0.5, b: 0.5 }), Options({})],
  'split, a part': [(part) => set().split({ a: part }), I(0.5)],
  ...each(
    'split',
    (o) => set().split({ a: 0.5 }, o),
    {},
    {
      seed: Optionally(1),
      stratify: Optionally('y'),
      groups: Optionally('y'),
    },
  ),
  folds: [(k, options) => set().folds(k, options), I(2), Options({})],
  kFold: [data.kFold, I(6), I(2), Options({})],
  splitIndices: [data.splitIndices, I(6), Numbers([0.5, 0.5]), Options({})],
  DataLoader: [(...a) => new data.DataLoader(...a), I(set()), Options({})],
  ...each(
    'DataLoader',
    (o) => new data.DataLoader(set(), o),
    {},
    {
      batchSize: Optionally(2),
      sampler: Optionally(new data.SequentialSampler(6)),
      seed: Optionally(2),
      collate: OptionalFn((items) => items),
      workers: Optionally(0),
      prefetch: Optionally(0),
    },
  ),
  'DataLoader.batches': [
    async (epoch, from) => {
      for await (const b of new data.DataLoader(set()).batches(epoch, from)) void b;
    },
    I(0),
    Optionally(0),
  ],
  collate: [data.collate, argument('float32array', 'list', 'tensors')([1, 2])],
  workerDataset: [
    (module) => data.workerDataset(module, { count: 1 }),
    I(new URL('../fixtures/worker-dataset.mjs', import.meta.url)),
  ],
  SequentialSampler: [(...a) => new data.SequentialSampler(...a), Sized(3)],
  RandomSampler: [(...a) => new data.RandomSampler(...a), Sized(3), Options({})],
  ...each(
    'RandomSampler',
    (o) => new data.RandomSampler(3, o),
    {},
    {
      seed: Optionally(1),
      numSamples: argument('undefined', 'null')(2),
    },
  ),
  WeightedRandomSampler: [
    (...a) => new data.WeightedRandomSampler(...a),
    argument()(new Float32Array([1, 2])),
    I(2),
    Options({}),
  ],
  StratifiedSampler: [
    (...a) => new data.StratifiedSampler(...a),
    argument('float32array')(new Int32Array([0, 1, 0, 1])),
    I({ batchSize: 2 }),
  ],
  DistributedSampler: [(...a) => new data.DistributedSampler(...a), Sized(3), argument()({ numReplicas: 1, rank: 0 })],
  // text and tables
  Vocabulary: [(...a) => new data.Vocabulary(...a), argument()(['a'])],
  'CharVocabulary.of': [(t) => data.CharVocabulary.of(t), Text('abc')],
  'CharVocabulary.encode': [(t) => characters().encode(t), Text('abc')],
  'CharVocabulary.decode': [(t) => characters().decode(t), argument('float32array')([0, 1])],
  'WordVocabulary.of': [(t, o) => data.WordVocabulary.of(t, o), I(['a b']), Options({})],
  ...each(
    'WordVocabulary.of',
    (o) => data.WordVocabulary.of(['a b'], o),
    {},
    {
      minFrequency: OptionalNumber(1),
      maxSize: OptionalNumber(10),
      specials: Optionally(['<unk>']),
      tokenize: argument('undefined')((text) => text.split(' ')),
    },
  ),
  'WordVocabulary.encode': [(t) => words().encode(t), Text('a b')],
  'WordVocabulary.decode': [(t) => words().decode(t), argument('float32array')([0, 1])],
  tokenizeWords: [data.tokenizeWords, Text('a b')],
  TokenWindows: [(...a) => new data.TokenWindows(...a), I(new Int32Array(9)), I({ length: 2 })],
  'CsvTable.column': [(n) => table().column(n), I('a')],
  'CsvTable.numbers': [(n) => table().numbers(n), I('a')],
  'CsvTable.classes': [(n) => table().classes(n), I('c')],
  'CsvTable.subset': [(p) => table().subset(p), Numbers([0])],
  'CsvTable.split': [(p) => table().split(p), I({ a: 0.5 })],
  'CsvTable.complete': [(n) => table().complete(n), Optionally(['a'])],
  'CsvTable.classification': [(n, o) => table().classification(n, o), I('c'), Options({ features: ['a'] })],
  'CsvTable.regression': [(n, o) => table().regression(n, o), I('a'), Options({ features: ['b'] })],
  'TableEncoder.fit': [(t, o) => data.TableEncoder.fit(t, o), I(table()), Options({ target: 'c' })],
  ...each(
    'TableEncoder.fit',
    (o) => data.TableEncoder.fit(table(), o),
    { target: 'c' },
    {
      target: Optionally('c'),
      task: Optionally('classification'),
      features: Optionally(['a']),
      columns: argument('undefined', 'object')({ a: 'number' }),
      missing: Optionally('error'),
      unseen: Optionally('error'),
    },
  ),
  'TableEncoder.from': [(s) => data.TableEncoder.from(s), I(data.TableEncoder.fit(table()).toJSON())],
  'TableEncoder.encode': [(t) => data.TableEncoder.fit(table()).encode(t), I(table())],
  // readers
  parseCsv: [data.parseCsv, Text('a\n1\n'), Options({})],
  parseIdx: [data.parseIdx, I(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 1, 7]))],
  parseNpz: [data.parseNpz, I(emptyZip())],
  readText: [(s, o) => data.readText(s, o), I(uint8), Options({})],
  readBytes: [(s, o) => data.readBytes(s, o), I(uint8), Options({})],
  readCsv: [(s, o) => data.readCsv(s, o), I(new TextEncoder().encode('a\n1\n')), Options({})],
  gunzip: [data.gunzip, I(data.isGzip && GZIP()), Options({})],
  decompress: [data.decompress, I(uint8), Options({})],
  imageFolder: [
    (p, o) => data.imageFolder(p, o).catch(unlessMissing),
    argument('string')(folder),
    argument('object', 'undefined', 'module')({}),
  ],
  readImage: [(s, o) => data.readImage(s, o), I(PNG()), Options({})],
  mnist: [(o) => data.mnist(o).catch(unlessMissing), Options({})],
  ...each('mnist', (o) => data.mnist(o).catch(unlessMissing), {}, { folder: OptionalText(folder) }),
  // made data
  ...Object.fromEntries(
    [
      'moons',
      'circles',
      'blobs',
      'spirals',
      'shapes',
      'communities',
      'diabetes',
      'dates',
      'captionedScenes',
      'movingShapes',
    ].map((name) => [name, [data[name], Options({})]]),
  ),
  ...Object.assign(
    {},
    ...['moons', 'circles', 'blobs', 'spirals', 'shapes'].map((name) =>
      each(name, data[name], {}, { samples: Optionally(20), noise: OptionalNumber(0.1), seed: Optionally(3) }),
    ),
  ),
  ...each('blobs', data.blobs, {}, { centers: argument('undefined', 'list')(2) }),
  ...each('circles', data.circles, {}, { factor: Optionally(0.5) }),
  ...each('spirals', data.spirals, {}, { classes: Optionally(2) }),
  ...each('shapes', data.shapes, {}, { size: Optionally(16) }),
  shapeScenes: [data.shapeScenes, Options({ samples: 1 })],
  ...each(
    'shapeScenes',
    (o) => data.shapeScenes({ samples: 2, ...o }),
    {},
    { size: Optionally(16), objects: Optionally([1, 2]), radius: Optionally([0.1, 0.2]), noise: OptionalNumber(0.1) },
  ),
  membrane: [(o) => data.membrane(o).catch(unlessMissing), Options({})],
  trackScenes: [(o) => data.trackScenes(o), Options({ scenes: 1 })],
  ...each(
    'trackScenes',
    (o) => data.trackScenes({ scenes: 1, ...o }),
    {},
    { scenes: Optionally(1), frames: Optionally(9), objects: Optionally([1, 2]), misses: OptionalNumber(0.1) },
  ),
  graphKinds: [data.graphKinds, Options({})],
  ...each(
    'graphKinds',
    data.graphKinds,
    {},
    { samples: Optionally(5), nodes: Optionally([6, 8]), extra: Optionally(0) },
  ),
  moveTogether: [transforms.moveTogether, argument('object')({ masks: ['mask'] }), Fn(transforms.cropMove(2))],
  'moveTogether, the sample': [(sample) => transforms.moveTogether({})(sample, random), I({ x: image })],
  cropMove: [transforms.cropMove, I(3)],
  horizontalFlipMove: [transforms.horizontalFlipMove, OptionalNumber(0.5)],
  verticalFlipMove: [transforms.verticalFlipMove, OptionalNumber(0.5)],
  transposeMove: [transforms.transposeMove, OptionalNumber(0.5)],
  MeanAveragePrecision: [(o) => new metrics.MeanAveragePrecision(o), Options({})],
  'MeanAveragePrecision.update': [
    (found, truth) => new metrics.MeanAveragePrecision().update(found, truth),
    I([{ box: [0, 0, 1, 1], index: 0, score: 1 }]),
    I([{ box: [0, 0, 1, 1], index: 0 }]),
  ],
  TrackingMetrics: [(o) => new metrics.TrackingMetrics(o), I({ maxDistance: 1 })],
  'TrackingMetrics.update': [
    (found, truth) => new metrics.TrackingMetrics({ maxDistance: 1 }).update(found, truth),
    I([{ id: 1, position: [0, 0] }]),
    I([{ id: 1, position: [0, 0] }]),
  ],
  trackGraph: [vision.trackGraph, I([{ frame: 0, position: [0, 0] }]), Options({})],
  linkTracks: [vision.linkTracks, I([{ frame: 0, position: [0, 0] }]), Numbers([0, 0]), Numbers([1]), Options({})],
  trackFrames: [vision.trackFrames, I([{ frame: 0, position: [0, 0] }]), I([[0]]), I(2)],
  drawTracks: [vision.drawTracks, I([[{ id: 0, position: [0, 0] }]]), I({ size: 10 })],
  gramMatrix: [vision.gramMatrix, T(maps)],
  transferStyle: [
    (run, a, b, o) => vision.transferStyle(run, a, b, { ...o, steps: 1 }),
    Fn((at) => layer.forward(at)),
    T(maps),
    T(maps),
    I({ content: [layer], style: [layer] }),
  ],
  ...each(
    'captionedScenes',
    data.captionedScenes,
    { samples: 2 },
    { size: Optionally(16), noise: OptionalNumber(0), seed: Optionally(1) },
  ),
  ...each(
    'movingShapes',
    data.movingShapes,
    { samples: 2 },
    { frames: Optionally(2), size: Optionally(16), shapes: Optionally(1) },
  ),
  smsSpam: [(o) => data.smsSpam(o).catch(unlessMissing), Options({})],
  multi30k: [(o) => data.multi30k(o).catch(unlessMissing), Options({})],
  SequenceDataset: [(...a) => new data.SequenceDataset(...a), I({ x: [new Int32Array(2)] }), Options({})],
  'SequenceDataset, a sequence': [(s) => new data.SequenceDataset({ x: [s] }), I(new Int32Array(2))],
  BucketSampler: [(...a) => new data.BucketSampler(...a), Numbers([1, 2]), I({ batchSize: 2 })],
  ...each(
    'BucketSampler',
    (o) => new data.BucketSampler([1, 2], o),
    { batchSize: 2 },
    { batchSize: I(2), width: Optionally(8), seed: Optionally(1) },
  ),
  ...each('communities', data.communities, {}, { nodes: Optionally(40), inside: OptionalNumber(0.8) }),
  cora: [(o) => data.cora(o).catch(unlessMissing), Options({})],
  citeseer: [(o) => data.citeseer(o).catch(unlessMissing), Options({})],
  ...each('cora', (o) => data.cora(o).catch(unlessMissing), {}, { folder: OptionalText(folder) }),
  ...each('citeseer', (o) => data.citeseer(o).catch(unlessMissing), {}, { folder: OptionalText(folder) }),
  drawMask: [vision.drawMask, Numbers([0, 1]), Numbers([1, 2])],
  drawHeat: [vision.drawHeat, Numbers([0, 1]), Numbers([1, 2]), Options({})],
  drawBoxes: [vision.drawBoxes, I(image), I([{ box: [0, 0, 2, 2] }]), Options({})],
  ...each('drawBoxes', (o) => vision.drawBoxes(image, [], o), {}, { scale: Optionally(1) }),
  contactSheet: [data.contactSheet, I([image]), Options({})],
  ...each(
    'contactSheet',
    (o) => data.contactSheet([image], o),
    {},
    {
      columns: Optionally(1),
      scale: Optionally(1),
      labels: Optionally(['a']),
      gap: Optionally(1),
    },
  ),
  jitter: [
    data.jitter,
    I({ data: new Float32Array(64), shape: [1, 8, 8] }),
    I(random),
    argument('object')({ shift: 1 }),
  ],
  // metrics
  ...Object.fromEntries(
    ['Accuracy', 'F1', 'Precision', 'Recall', 'CohenKappa', 'IoU', 'MatthewsCorrelation', 'ConfusionMatrix'].flatMap(
      (name) => [
        [name, [(o) => new metrics[name](o), Options({})]],
        [`${name}.update`, [(o, t) => new metrics[name]({}).update(o, t), T(zeros([2, 2])), T(labels)]],
      ],
    ),
  ),
  ...each(
    'Accuracy',
    (o) => new metrics.Accuracy(o).update(x, labels),
    {},
    {
      classDim: Optionally(1),
      ignoreIndex: Optionally(-100),
    },
  ),
  ...each(
    'Accuracy',
    (o) => new metrics.Accuracy(o).update(zeros([4]), tensor([0, 1, 0, 1])),
    {},
    {
      threshold: OptionalNumber(0.5),
    },
  ),
  ...each('F1', (o) => new metrics.F1(o), {}, { average: Optionally('macro') }),
  TopKAccuracy: [(k, o) => new metrics.TopKAccuracy(k, o), Optionally(2), Options({})],
  FBeta: [(b, o) => new metrics.FBeta(b, o), NumberOnly(2), Options({})],
  AUROC: [(o) => new metrics.AUROC(o), Options({})],
  'AUROC.update': [(o, t) => new metrics.AUROC().update(o, t), T(x), T(labels)],
  CalibrationError: [(o) => new metrics.CalibrationError(o), Options({})],
  'MeanSquaredError.update': [(o, t) => new metrics.MeanSquaredError().update(o, t), T(x), T(x)],
  'R2Score.update': [(o, t) => new metrics.R2Score().update(o, t), T(x), T(x)],
  'Perplexity.update': [(o, t) => new metrics.Perplexity().update(o, t), T(x), T(labels)],
  'Mean.update': [(v, w) => new metrics.Mean().update(v, w), T(x), argument('undefined', 'number', 'tensor')(1)],
  MeanLoss: [(fn, o) => new metrics.MeanLoss(fn, o), Fn((a, b) => nn.mseLoss(a, b)), Options({})],
  'Bleu.update': [(c, r) => new metrics.Bleu().update(c, r), argument()(['a b']), argument()(['a b'])],
  'Stopwatch.lap': [(n) => running().lap(n), OptionalNumber(1)],
  // containers
  Sequential: [(...a) => new nn.Sequential(...a), argument('module')(linear()), argument('module')(linear())],
  Residual: [(body, short) => new nn.Residual(body, short), I([linear()]), argument('undefined', 'module')(linear())],
  Parallel: [(branches, dim) => new nn.Parallel(branches, dim), I([linear()]), Optionally(1)],
  ModuleList: [(list) => new nn.ModuleList(list), Optionally([linear()])],
  'ModuleList.append': [(m) => new nn.ModuleList().append(m), argument('module')(linear())],
  'ModuleList.extend': [(m) => new nn.ModuleList().extend(m), I([linear()])],
  'ModuleList.at': [(i) => new nn.ModuleList([linear()]).at(i), I(0)],
  ModuleDict: [(o) => new nn.ModuleDict(o), argument('undefined', 'object')({ a: linear() })],
  'ModuleDict.set': [(n, m) => new nn.ModuleDict().set(n, m), Text('a'), argument('module')(linear())],
  'ModuleDict.get': [(n) => new nn.ModuleDict({ a: linear() }).get(n), I('a')],
  apply: [(fn) => linear().apply(fn), Fn(() => {})],
  registerForwardHook: [(fn) => linear().registerForwardHook(fn), Fn(() => {})],
  registerForwardPreHook: [(fn) => linear().registerForwardPreHook(fn), Fn(() => {})],
  registerFullBackwardHook: [(fn) => linear().registerFullBackwardHook(fn), Fn(() => {})],
  loadStateDict: [(s, o) => linear().loadStateDict(s, o), I(linear().stateDict()), Options({})],
  'optimizer.loadStateDict': [
    (s) => new optim.SGD(linear().parameters(), { lr: 0.1 }).loadStateDict(s),
    I(new optim.SGD(linear().parameters(), { lr: 0.1 }).stateDict()),
  ],
  deepCopy: [nn.deepCopy, argument('module')(linear())],
  // schedules
  cosine: [optim.cosine, N(0), N(10), N(1), OptionalNumber(0)],
  oneCycle: [optim.oneCycle, N(0), N(10), N(1), Options({})],
  cyclic: [optim.cyclic, N(0), N(10), N(1), N(0), Options({})],
  stepDecay: [optim.stepDecay, N(0), N(1), N(3), OptionalNumber(0.1)],
  multiStepDecay: [optim.multiStepDecay, N(0), N(1), Numbers([3]), OptionalNumber(0.1)],
  exponentialDecay: [optim.exponentialDecay, N(0), N(1), N(0.9)],
  inverseTimeDecay: [optim.inverseTimeDecay, N(0), N(1), N(0.9)],
  inverseSqrtDecay: [optim.inverseSqrtDecay, N(0), N(1), OptionalNumber(0.9)],
  linear: [optim.linear, N(0), N(10), N(0), N(1)],
  polynomialDecay: [optim.polynomialDecay, N(0), N(10), N(1), OptionalNumber(1)],
  cosineRestarts: [optim.cosineRestarts, N(0), N(10), N(1), OptionalNumber(0), OptionalNumber(1)],
  inverseSqrtWarmup: [optim.inverseSqrtWarmup, N(0), N(10), N(10)],
  table: [optim.table, N(0), I([[0, 1]])],
  sequence: [(a, b) => optim.sequence(a, b), I([(step) => step, 5]), Fn((step) => step)],
  chained: [(a, b) => optim.chained(a, b), Fn((step) => step), Fn((step) => step)],
  // boxes
  saliency: [vision.saliency, Fn(toLogits), I(maps), Options({})],
  gradCam: [(f, l, t) => vision.gradCam(f, l, t), Fn(throughLayer), I(layer), I(maps)],
  fgsm: [vision.fgsm, Fn(toLogits), I(maps), I(tensor(new Int32Array([0]))), Options({})],
  ...each(
    'fgsm',
    (o) => vision.fgsm(toLogits, maps, tensor(new Int32Array([0])), o),
    {},
    { epsilon: OptionalNumber(0.1) },
  ),
  pgd: [vision.pgd, Fn(toLogits), I(maps), I(tensor(new Int32Array([0]))), Options({ steps: 1 })],
  ...each('pgd', (o) => vision.pgd(toLogits, maps, tensor(new Int32Array([0])), o), {}, { steps: Optionally(1) }),
  visualise: [vision.visualise, Fn((at) => at.mean()), Options({ shape: [1, 1, 3, 3], steps: 1 })],
  boxArea: [vision.boxArea, I(boxes)],
  boxIou: [vision.boxIou, I(boxes), I(boxes)],
  generalizedBoxIou: [vision.generalizedBoxIou, I(boxes), I(boxes)],
  boxConvert: [vision.boxConvert, I(boxes), I('xyxy'), I('xywh')],
  clipBoxes: [vision.clipBoxes, I(boxes), I([4, 4])],
  largeBoxes: [vision.largeBoxes, I(boxes), NumberOnly(1)],
  nms: [vision.nms, I(boxes), I(zeros([2])), I(0.5)],
  batchedNms: [vision.batchedNms, I(boxes), I(zeros([2])), I(labels), I(0.5)],
  anchors: [vision.anchors, I([8, 8]), I([[2, 2]]), I({ sizes: [4] })],
  encodeBoxes: [vision.encodeBoxes, I(boxes), I(boxes), Options({})],
  decodeBoxes: [vision.decodeBoxes, I(boxes), I(boxes), Options({})],
  roiAlign: [vision.roiAlign, I(maps), I([boxes]), I(2), Options({})],
  roiPool: [vision.roiPool, I(maps), I([boxes]), I(2), Options({})],
  multiScaleRoiAlign: [vision.multiScaleRoiAlign, I([maps]), I([boxes]), I([8, 8]), I(2), Options({})],
  // pictures
  imagePreprocessing: [vision.imagePreprocessing, argument('object')('imagenet'), Options({})],
  ...each(
    'imagePreprocessing',
    vision.imagePreprocessing,
    {},
    {
      resize: argument('undefined')(8),
      crop: argument('undefined')(8),
      mean: OptionalNumber(0.5),
      std: OptionalNumber(0.5),
      rescale: OptionalNumber(0.5),
      interpolation: Optionally('box'),
      channels: Optionally(1),
      background: Optionally([0, 0, 0]),
      layout: Optionally('hwc'),
      letterbox: Optionally(8),
      letterboxFill: OptionalNumber(0.5),
      letterboxPlace: Optionally('corner'),
    },
  ),
  preprocess: [
    (picture) => vision.imagePreprocessing({ layout: 'chw' })(picture),
    argument()({ data: new Uint8Array(3), shape: [3, 1, 1] }),
  ],
  loadImagePreprocessing: [
    (s, o) => vision.loadImagePreprocessing(s, o).catch(unlessMissing),
    argument('string')({ image_processor_type: 'ViTImageProcessor' }),
    argument('object', 'undefined', 'module')({}),
  ],
  classNames: [vision.classNames, I('voc')],
  topK: [vision.topK, T(zeros([3])), Options({})],
  topKOfEach: [vision.topKOfEach, T(x), Options({})],
  ctcGreedyDecode: [text.ctcGreedyDecode, T(zeros([2, 3, 4])), Options({})],
  ...each(
    'ctcGreedyDecode',
    (o) => text.ctcGreedyDecode(zeros([2, 3, 4]), o),
    {},
    {
      blank: Optionally(1),
      lengths: Optionally([1, 2]),
      tokens: Optionally(['', 'a', 'b', 'c']),
      input: Optionally('probabilities'),
    },
  ),
  ctcBeamSearch: [text.ctcBeamSearch, T(zeros([2, 3, 4])), Options({})],
  ...each(
    'ctcBeamSearch',
    (o) => text.ctcBeamSearch(zeros([2, 3, 4]), o),
    {},
    {
      beamWidth: Optionally(3),
      count: Optionally(2),
      tokensPerStep: Optionally(2),
      languageModel: argument('undefined', 'function')(() => 0),
      languageWeight: OptionalNumber(0.5),
      tokenBonus: OptionalNumber(0.5),
      separator: Optionally(1),
    },
  ),
  // detectors
  defaultBoxes: [vision.defaultBoxes, I([8, 8]), I([[2, 2]]), I({ sizes: [[4]] })],
  gridPoints: [vision.gridPoints, I([[2, 2]]), Numbers([8]), Options({})],
  distancesToBoxes: [vision.distancesToBoxes, T(zeros([3, 2])), T(zeros([3, 4]))],
  expectedDistances: [vision.expectedDistances, T(zeros([3, 64])), Optionally(16)],
  decodeYolo: [vision.decodeYolo, T(zeros([1, 6, 3])), Options({})],
  selectDetections: [vision.selectDetections, T(boxes), T(zeros([2, 3])), Options({})],
  ...each(
    'selectDetections',
    (o) => vision.selectDetections(boxes, zeros([2, 3]), o),
    {},
    {
      scoreThreshold: OptionalNumber(0.1),
      iouThreshold: Optionally(0.5),
      maxDetections: Optionally(3),
      maxCandidates: Optionally(3),
      background: Optionally(0),
      names: Optionally(['a', 'b', 'c']),
    },
  ),
  pictureBoxes: [vision.pictureBoxes, T(boxes), I(vision.imagePreprocessing('yolo')), I([4, 4])],
  'pictureBoxes of detections': [
    (found) => vision.pictureBoxes(found, vision.imagePreprocessing('yolo'), [4, 4]),
    T([{ label: 'a', index: 0, score: 1, box: [0, 0, 1, 1] }]),
  ],
  // audio
  readWav: [audio.readWav, I(WAV()), Options({})],
  ...each('readWav', (o) => audio.readWav(WAV(), o), {}, { offset: Optionally(1), frames: Optionally(1) }),
  readWavInfo: [audio.readWavInfo, I(WAV()), Options({})],
  encodeWav: [audio.encodeWav, T(sound), I(8000), Options({})],
  saveWav: [audio.saveWav, Text(join(folder, 'a.wav')), T(sound), I(8000), Options({})],
  resample: [audio.resample, T(sound), I(2), I(3), Options({})],
  ...each(
    'resample',
    (o) => audio.resample(sound, 2, 3, o),
    {},
    {
      lowpassFilterWidth: Optionally(6),
      rolloff: Optionally(0.9),
      window: Optionally('kaiser'),
      beta: OptionalNumber(9),
    },
  ),
  spectrogram: [(t, o) => audio.spectrogram(t, { ...mustBeOptions(o), nFft: 8 }), T(sound), Options({})],
  ...each(
    'spectrogram',
    (o) => audio.spectrogram(sound, o),
    { nFft: 16 },
    {
      nFft: I(16),
      winLength: Optionally(8),
      hopLength: Optionally(4),
      window: argument('undefined', 'tensor')('hann'),
      pad: Optionally(1),
      power: argument('undefined', 'null', 'number')(2),
      normalized: argument('undefined', 'boolean')('window'),
      padMode: Optionally('constant'),
      like: Optionally('librosa'),
    },
  ),
  melSpectrogram: [
    (t, rate, o) => audio.melSpectrogram(t, rate, { ...mustBeOptions(o), nFft: 8, nMels: 2 }),
    T(sound),
    I(8000),
    Options({}),
  ],
  melFilterbank: [audio.melFilterbank, I(9), I(3), I(8000), Options({})],
  ...each(
    'melFilterbank',
    (o) => audio.melFilterbank(9, 3, 8000, o),
    {},
    {
      fMin: OptionalNumber(0),
      fMax: OptionalNumber(4000),
      norm: argument('undefined', 'null')('slaney'),
      melScale: Optionally('htk'),
      dtype: Optionally('float64'),
    },
  ),
  toMelScale: [audio.toMelScale, T(spectra), T(zeros([5, 2]))],
  hzToMel: [audio.hzToMel, NumberOnly(440), Optionally('htk')],
  melToHz: [audio.melToHz, NumberOnly(440), Optionally('htk')],
  mfcc: [
    (t, rate, o) => audio.mfcc(t, rate, { ...mustBeOptions(o), nFft: 8, nMels: 2, nMfcc: 2 }),
    T(sound),
    I(8000),
    Options({}),
  ],
  dctMatrix: [audio.dctMatrix, I(3), I(5), argument('undefined', 'null')('ortho'), Options({})],
  deltas: [audio.deltas, T(spectra), Options({})],
  powerToDb: [audio.powerToDb, T(spectra), Options({})],
  ...each(
    'powerToDb',
    (o) => audio.powerToDb(spectra, o),
    {},
    { ref: OptionalNumber('max'), amin: OptionalNumber(1e-9), topDb: OptionalNumber(80) },
  ),
  amplitudeToDb: [audio.amplitudeToDb, T(spectra), Options({})],
  dbToPower: [audio.dbToPower, T(spectra), OptionalNumber(1)],
  dbToAmplitude: [audio.dbToAmplitude, T(spectra), OptionalNumber(1)],
  griffinLim: [(t, o) => audio.griffinLim(t, { ...mustBeOptions(o), iterations: 1 }), T(zeros([5, 9])), Options({})],
  preemphasis: [audio.preemphasis, T(sound), OptionalNumber(0.9)],
  toMono: [audio.toMono, T(sound)],
  rms: [audio.rms, T(sound), Options({})],
  zeroCrossingRate: [audio.zeroCrossingRate, T(sound), Options({})],
  whisperLogMel: [(t, o) => audio.whisperLogMel(t, { ...mustBeOptions(o), samples: 800 }), T(sound), Options({})],
  // networks
  auxiliaryCrossEntropy: [models.auxiliaryCrossEntropy, I(zeros([2, 3])), I(labels), OptionalNumber(0.3)],
  vaeLoss: [models.vaeLoss, I({ logits: x, mean: x, logVariance: x }), I(zeros([2, 3])), Options({})],
  ...each(
    'vaeLoss',
    (o) => models.vaeLoss({ logits: x, mean: x, logVariance: x }, x, o),
    {},
    { beta: OptionalNumber(2) },
  ),
  noiseSchedule: [(n, name) => models.noiseSchedule(n, name), I(30), argument('undefined')('cosine')],
  'GAN.generate': [(t) => new models.GAN({ shape: [1, 4, 4], latent: 3 }).generate(t), I(x)],
  'GAN.sample': [(n) => new models.GAN({ shape: [1, 4, 4] }).sample(n), NumberOnly(2)],
  'GAN.judge': [(t) => new models.GAN({ shape: [1, 4, 4] }).judge(t), I(zeros([2, 1, 4, 4]))],
  'Diffusion.loss': [(t) => new models.Diffusion({ shape: [1, 4, 4], width: 8 }).loss(t), I(zeros([2, 1, 4, 4]))],
  'DiffusionUNet.forward': [
    (t, time) => new models.DiffusionUNet({ width: 8, levels: [1] }).forward(t, time),
    I(zeros([2, 1, 4, 4])),
    I(labels),
  ],
  'ConditionalVAE.encode': [
    (t, y) => new models.ConditionalVAE({ inFeatures: 3, classes: 10 }).encode(t, y),
    I(x),
    I(labels),
  ],
  'ConvAutoencoder.encode': [(t) => new models.ConvAutoencoder({ shape: [1, 4, 4] }).encode(t), I(zeros([2, 1, 4, 4]))],
  'SimCLR.loss': [
    (a, b) => new models.SimCLR({ encoder: linear(), features: 2 }).loss(a, b),
    I(zeros([3, 2])),
    I(zeros([3, 2])),
  ],
  'VAE.encode': [(t) => new models.VAE({ inFeatures: 3 }).encode(t), I(x)],
  'VAE.sample': [(n) => new models.VAE({ inFeatures: 3 }).sample(n), NumberOnly(2)],
  'Autoencoder.decode': [(t) => new models.Autoencoder({ inFeatures: 4, latent: 3 }).decode(t), I(x)],
  'LSTMClassifier: ids': [(t) => new models.LSTMClassifier({ vocabulary: 5, classes: 2 }).forward(t), I(tokens)],
  'TransformerClassifier: ids': [
    (t) => new models.TransformerClassifier({ vocabulary: 5, classes: 2 }).forward(t),
    I(tokens),
  ],
  'Seq2SeqTransformer.forward': [
    (...a) => new models.Seq2SeqTransformer({ vocabulary: 5, width: 8, layers: 1 }).forward(...a),
    I(tokens),
    I(tokens),
  ],
  'Seq2SeqGRU.attention': [
    (...a) => new models.Seq2SeqGRU({ vocabulary: 5, width: 8, hidden: 8 }).attention(...a),
    I(tokens),
    I(tokens),
  ],
  'Captioner.forward': [(...a) => captioner().forward(...a), I(zeros([1, 3, 8, 8])), I(tokens)],
  'Captioner.about': [(t) => captioner().about(t), I(zeros([1, 3, 8, 8]))],
  'FrameForecaster.forecast': [
    (t, n) => new models.FrameForecaster({ hidden: 2, layers: 1 }).forecast(t, n),
    I(zeros([1, 2, 1, 8, 8])),
    I(1),
  ],
  trainTokenizer: [text.trainTokenizer, I(['a text']), Options({})],
  tokenizerFrom: [text.tokenizerFrom, I(text.trainTokenizer(['a text']))],
  maskTokens: [text.maskTokens, I(tokens), I({ maskId: 3, vocabularySize: 9 })],
  heatMapSvg: [train.heatMapSvg, I([[1]]), I({ rows: ['a'], columns: ['b'] })],
  efficientNetKey: [models.efficientNetKey, Text('bn1.weight')],
  newHead: [(classes) => models.squeezenet11().newHead(classes), I(3)],
  detect: [(t, o) => models.fasterRcnn({ classes: 2 }).detect(t, o), I(zeros([0, 3, 32, 32])), Options({})],
  // derivatives
  vjp: [(fn, t) => nabla.vjp(fn, t), Fn(square), T(x)],
  'vjp: pull': [(v) => nabla.vjp(square, x).pull(v), T(x)],
  jvp: [nabla.jvp, Fn(square), I([x]), I([x])],
  'jvp, inputs': [(t) => nabla.jvp(square, [t], [x]), T(x)],
  'jvp, tangents': [(t) => nabla.jvp(square, [x], [t]), T(x)],
  jacobian: [nabla.jacobian, Fn(square), argument('tensor', 'tensors')(x)],
  hessian: [nabla.hessian, Fn((t) => square(t).sum()), argument('tensor', 'tensors')(x)],
  'grad, input': [(t) => nabla.grad((v) => first(v).sum())(t), argument('tensor', 'tensors')(x)],
  'valueAndGrad, input': [(t) => nabla.valueAndGrad((v) => first(v).sum())(t), argument('tensor', 'tensors')(x)],
  ...Object.fromEntries(
    ['grad', 'valueAndGrad', 'vjp', 'jvp', 'jacobian', 'hessian'].map((name) => [
      `${name}, result`,
      [(v) => callWith(name, () => v), argument('tensor')(zeros([]))],
    ]),
  ),
  registerHook: [(fn) => new nn.Parameter(zeros([2])).registerHook(fn), Fn((g) => g)],
  assignAt_: [(index, value) => tensor([1, 2]).assignAt_(index, value), I([0]), Operand(1)],
  minimize: [optim.minimize, Fn((v) => all(v).square().sum()), Start([1, 2]), Options({})],
  leastSquares: [optim.leastSquares, Fn((v) => all(v).sub(1)), Start([1, 2]), Options({})],
  minimizeConstrained: [
    optim.minimizeConstrained,
    Fn((v) => all(v).square().sum()),
    Start([1, 2]),
    argument()({ equalities: (v) => all(v).sum().sub(1), maxIterations: 2 }),
  ],
  backtracking: [optim.backtracking, I((t) => ({ value: t * t - t, slope: 2 * t - 1 })), Options({})],
  goldstein: [optim.goldstein, I((t) => ({ value: t * t - t, slope: 2 * t - 1 })), Options({})],
  strongWolfe: [optim.strongWolfe, I((t) => ({ value: t * t - t, slope: 2 * t - 1 })), Options({})],
  exactStep: [optim.exactStep, I((t) => ({ value: t * t - t, slope: 2 * t - 1 })), Options({})],
  alongLine: [optim.alongLine, Fn((t) => t.square().sum()), T(zeros([7])), T(zeros([7]))],
  admmLasso: [optim.admmLasso, T(zeros([2, 3])), T(zeros([2])), N(1), Options({})],
  admmConsensus: [optim.admmConsensus, I([(v) => all(v).square().sum()]), Start([1, 2]), Options({})],
  evolve: [optim.evolve, Fn((p) => p.sum(1)), argument('list')([[0, 1]]), Options({ generations: 1 })],
  evolveBits: [optim.evolveBits, Fn((p) => p.sum(1)), I(3), Options({ generations: 1 })],
  metropolisHastings: [
    optim.metropolisHastings,
    Fn((p) => p.square().sum(1).neg()),
    Numbers([0, 0]),
    Options({ samples: 4 }),
  ],
  rHat: [optim.rHat, I([[1, 2, 3, 4]])],
  effectiveSampleSize: [optim.effectiveSampleSize, I([[1, 2, 3, 4]])],
  getTotalNorm: [optim.getTotalNorm, argument('tensors')([x]), Options({})],
  loadWeights: [(source, options) => io.loadWeights(linear(), source, options), Record({}), Options({ strict: false })],
  'loadWeights, the model': [(model) => io.loadWeights(model, {}, { strict: false }), argument('module')(linear())],
  customOp: [customOp, I({ name: 'f', forward: (_, t) => t, backward: (_, g) => [g] })],
  ...each(
    'customOp',
    customOp,
    { name: 'f', forward: (_, t) => t, backward: (_, g) => [g] },
    {
      name: argument('string')('f'),
      forward: Fn((_, t) => t),
      backward: Fn((_, g) => [g]),
    },
  ),
  'customOp, input': [(t) => customOp({ name: 'customOp', forward: (_, v) => v, backward: (_, g) => [g] })(t), T(x)],
  'customOp, result': [
    (v) => customOp({ name: 'customOp', forward: () => v, backward: (_, g) => [g] })(x),
    argument('tensor')(x),
  ],
  'customOp, gradients': [
    (v) => nabla.grad((t) => customOp({ name: 'customOp', forward: (_, s) => s, backward: () => v })(t).sum())(x),
    I([x]),
  ],
  'customOp, a gradient': [
    (v) => nabla.grad((t) => customOp({ name: 'customOp', forward: (_, s) => s, backward: () => [v] })(t).sum())(x),
    argument('null')(x),
  ],
  checkGradient: [nabla.checkGradient, Fn((t) => t), argument('tensors')([zeros([1])]), Options({})],
  'checkGradient, input': [(t) => nabla.checkGradient((v) => v.mul(1), [t]), T(zeros([1]))],
  'checkGradient, result': [(v) => nabla.checkGradient((t) => (v === x ? t : v), [zeros([1])]), T(x)],
  ...each(
    'checkGradient',
    (o) => nabla.checkGradient((t) => t, [zeros([1])], o),
    {},
    {
      eps: OptionalNumber(1e-5),
      tolerance: OptionalNumber(1e-5),
    },
  ),
  'compile, argument': [
    (t) => nabla.compile((v) => (v === undefined ? zeros([1]) : v))(t),
    argument('tensor', 'number')(x),
  ],
  'compile, result': [
    (v) => nabla.compile(() => v)(),
    argument('tensor', 'tensors', 'undefined', 'object', 'promise', 'module')(x.mul(2)),
  ],
  noGrad: [nabla.noGrad, Fn(() => 1)],
  // weights
  saveSafetensors: [io.saveSafetensors, Text(join(folder, 'a.safetensors')), argument('object')({ x }), Options({})],
  loadSafetensors: [(p) => io.loadSafetensors(p).catch(unlessMissing), Text(join(folder, 'none.safetensors'))],
  toSafetensors: [io.toSafetensors, argument('object')({ x }), Options({})],
  'toSafetensors, a tensor': [(t) => io.toSafetensors({ x: t }), T(x)],
  fromSafetensors: [io.fromSafetensors, I(emptySafetensors())],
  formatSafetensors: [
    io.formatSafetensors,
    argument('object')({ x: { dtype: 'float32', shape: [2], data: new Float32Array(2) } }),
    Options({}),
  ],
  encodePng: [io.encodePng, I({ data: new Uint8Array(4), shape: [1, 2, 2] })],
  encodeApng: [io.encodeApng, I([{ data: new Uint8Array(4), shape: [1, 2, 2] }]), Options({})],
  // training
  Alternating: [(parts) => new train.Alternating(parts), I({ a: new optim.SGD(linear().parameters(), { lr: 0.1 }) })],
  unfreezeStepwise: [train.unfreezeStepwise, I([linear()]), Options({})],
  layerwiseGroups: [optim.layerwiseGroups, I([linear()]), I({ lr: 0.1 })],
  classScores: [metrics.classScores, I(nabla.ones([2, 3]).div(3)), Options({})],
  Trainer: [(o) => new train.Trainer(o), I(startOptions())],
  'Trainer, option model': [(model) => new train.Trainer({ ...startOptions(), model }), argument('module')(linear())],
  'Trainer, option optimizer': [
    (optimizer) => new train.Trainer({ ...startOptions(), optimizer }),
    I(new optim.SGD(linear().parameters(), { lr: 0.1 })),
  ],
  ...each(
    'Trainer',
    fit,
    {},
    {
      train: I(new data.DataLoader(set(), { batchSize: 3 })),
      validation: Optionally(new data.DataLoader(set(), { batchSize: 3 })),
      test: Optionally(new data.DataLoader(set(), { batchSize: 3 })),
      loss: argument('undefined')((o, t) => nn.crossEntropy(o, t)),
      forward: argument('undefined')((m, { x: v, y }) => nn.crossEntropy(m.forward(v), y)),
      metrics: argument('undefined', 'object')({ accuracy: new metrics.Accuracy() }),
      validateEvery: Optionally(1),
      schedule: argument('undefined', 'function')((step, total) => optim.cosine(step, total, 0.1)),
      plateau: argument('undefined', 'object')({}),
      accumulate: Optionally(1),
      clipNorm: OptionalNumber(1),
      clipValue: OptionalNumber(1),
      earlyStopping: argument('undefined', 'object')({}),
      weightAverage: argument('undefined', 'object')({}),
      listeners: Optionally([]),
      callbacks: Optionally([]),
      probe: Optionally({ isDue: () => false, report: () => {} }),
      folder: Optionally(join(folder, 'run')),
      checkpoint: argument('undefined', 'object')({}),
      signal: Optionally(new AbortController().signal),
      seed: Optionally(1),
      config: argument('undefined', 'object')({}),
      classes: Optionally(2),
      epochs: I(1),
      steps: Optionally(1),
    },
  ),
  ...each(
    'Trainer',
    (o) => fit({ validation: new data.DataLoader(set()), earlyStopping: o }),
    {},
    {
      patience: Optionally(1),
      minDelta: OptionalNumber(0),
      monitor: Optionally('loss'),
      mode: Optionally('min'),
    },
  ),
  ...each(
    'Trainer.',
    (o) => fit({ validation: new data.DataLoader(set()), checkpoint: o }),
    {},
    {
      every: Optionally(1),
      monitor: Optionally('loss'),
      mode: Optionally('min'),
    },
  ),
  ...each('Trainer: ', (o) => fit({ weightAverage: o }), {}, { decay: Optionally(0.9), from: Optionally(1) }),
  'Trainer, a listener': [(l) => fit({ listeners: [l] }), I({ onEvent() {} })],
  'Trainer, a callback': [(c) => fit({ callbacks: [c] }), argument('object', 'module')({})],
  'Trainer, a metric': [(m) => fit({ metrics: { m } }), I(new metrics.Accuracy())],
  'Trainer.evaluate': [(d) => start().evaluate(d), I(new data.DataLoader(set(), { batchSize: 3 }))],
  'Trainer.resume': [(d) => start().resume(d).catch(unlessMissing), Text(join(folder, 'none'))],
  findLearningRate: [(o) => train.findLearningRate(o), I(rateOptions())],
  ...each('findLearningRate', (o) => train.findLearningRate(o), rateOptions(), {
    train: I(new data.DataLoader(set(), { batchSize: 3 })),
    steps: Optionally(10),
    from: OptionalNumber(1e-5),
    to: OptionalNumber(1),
    smoothing: OptionalNumber(0.9),
  }),
  checkInitialLoss: [train.checkInitialLoss, NumberOnly(0.7), I({ classes: 2 })],
  overfitOneBatch: [
    (m, b, o) => train.overfitOneBatch(m, b, { steps: 2, ...(o !== undefined && typeof o !== 'object' ? { o } : o) }),
    argument('module')(linear()),
    I({ x: zeros([2, 2]), y: labels }),
  ],
  readErrors: [train.readErrors, I({ training: 0.1, validation: 0.2 }), OptionalNumber(0.02)],
  learningCurves: [train.learningCurves, I([{ name: 'a', events: EVENTS }]), Options({})],
  chartSvg: [train.chartSvg, I([])],
  toPng: [train.toPng, T(zeros([4, 4])), Options({})],
  writeConfusion: [train.writeConfusion, Text(join(folder, 'confused')), I({ truth: [0, 1], predicted: [0, 0] })],
  // Its inputs are those of `forward`, which says what it takes.
  writeGraph: [
    (path, model) => train.writeGraph(path, model, zeros([1, 2])),
    Text(join(folder, 'graph')),
    argument('module')(linear()),
  ],
  convergenceChart: [train.convergenceChart, I({ a: [1, 2] }), Options({})],
  surfaceChart: [train.surfaceChart, Fn((a, b) => a + b), I({ x: [0, 1], y: [0, 1], resolution: 4 })],
  traceChart: [train.traceChart, I({ a: [1, 2] }), Options({})],
  summariseRun: [train.summariseRun, I([])],
  diagnose: [train.diagnose, argument('float32array')([])],
  observe: [
    (m, o, options) => train.observe(m, o, options),
    argument()(linear()),
    I(new optim.SGD(linear().parameters(), { lr: 0.1 })),
    Options({}),
  ],
  ConsoleLogger: [(o) => new train.ConsoleLogger(o), Options({})],
  JsonLinesLogger: [(p) => new train.JsonLinesLogger(p), Text(join(folder, 'log.jsonl'))],
  CsvLogger: [(p) => new train.CsvLogger(p), Text(join(folder, 'log.csv'))],
  TensorBoardLogger: [(p, o) => new train.TensorBoardLogger(p, o), Text(join(folder, 'board')), Options({})],
  SummaryWriter: [(p, o) => new train.SummaryWriter(p, o), Text(join(folder, 'writer')), Options({})],
  addScalar: [(...a) => writer().addScalar(...a), Text('a'), NumberOnly(1), OptionalNumber(1)],
  addText: [(...a) => writer().addText(...a), Text('a'), Text('b'), OptionalNumber(1)],
  addHistogram: [(...a) => writer().addHistogram(...a), Text('a'), argument('tensor', 'float32array')([1, 2])],
  // runs and searches
  defineRun: [train.defineRun, I(runDefinition())],
  ...each('defineRun', train.defineRun, runDefinition(), {
    name: argument('string')('a'),
    title: argument('string')('b'),
    settings: argument('object')({ epochs: 1 }),
    choices: argument('undefined', 'object')({ epochs: [1] }),
    create: Fn(() => {}),
    predictor: argument('undefined', 'function')(() => {}),
  }),
  search: [
    (space, objective, options) => train.search(space, objective, { trials: 1, ...mustBeOptions(options) }),
    I({ a: train.uniform(0, 1) }),
    Fn(() => 1),
    Options({}),
  ],
  'search, a dimension': [(d) => train.search({ a: d }, () => 1, { trials: 1 }), I(train.uniform(0, 1))],
  'search, the result': [(v) => train.search({ a: train.uniform(0, 1) }, () => v, { trials: 1 }), NumberOnly(1)],
  ...each(
    'search',
    (o) => train.search({ a: train.uniform(0, 1) }, () => 1, o),
    { trials: 1 },
    {
      trials: Optionally(1),
      strategy: Optionally(train.randomSearch()),
      direction: Optionally('minimize'),
      pruner: Optionally(train.successiveHalving()),
      parallel: Optionally(1),
      seed: Optionally(1),
      folder: OptionalText(join(folder, 'search')),
      signal: Optionally(new AbortController().signal),
      onTrial: argument('undefined', 'function')(() => {}),
    },
  ),
  uniform: [train.uniform, N(0), N(3)],
  logUniform: [train.logUniform, N(1), N(3)],
  integer: [train.integer, I(0), I(3)],
  choice: [train.choice, argument('list')([1, 2])],
  gridSearch: [train.gridSearch, Options({})],
  refineSearch: [train.refineSearch, Options({})],
  bayesianSearch: [train.bayesianSearch, Options({})],
  successiveHalving: [train.successiveHalving, Options({})],
};

/** Transforms: what makes them; each is then given an image and a wrong one. */
const TRANSFORMS = {
  compose: [argument('function')((t) => t)],
  randomApply: [argument('function')((t) => t), OptionalNumber(0.5)],
  randomChoice: [I([(t) => t]), Optionally([1])],
  randomOrder: [I([(t) => t])],
  deterministic: [argument('function')((t) => t)],
  centerCrop: [I(4)],
  pad: [Numbers(2), Options({})],
  randomAffine: [Record({ degrees: 10 })],
  randomCrop: [I(4), Options({})],
  randomHorizontalFlip: [OptionalNumber(1)],
  randomVerticalFlip: [OptionalNumber(1)],
  randomPerspective: [Options({})],
  randomResizedCrop: [I(4), Options({})],
  randomRotation: [argument('number', 'float32array')(10), Options({})],
  resize: [I(4), Options({})],
  colorJitter: [Record({ brightness: 0.1 })],
  cutout: [I(3), argument('undefined', 'number', 'float32array')(0)],
  gaussianBlur: [I(3), argument('undefined', 'number', 'float32array')(1)],
  gaussianNoise: [Options({})],
  grayscale: [Optionally(1)],
  normalize: [argument('number', 'float32array')([0, 0, 0]), argument('number', 'float32array')([1, 1, 1])],
  randomAdjustSharpness: [NumberOnly(2), OptionalNumber(1)],
  randomAutocontrast: [OptionalNumber(1)],
  randomEqualize: [OptionalNumber(1)],
  randomErasing: [Options({ p: 1 })],
  randomGrayscale: [OptionalNumber(1)],
  randomInvert: [OptionalNumber(1)],
  randomPosterize: [I(3), OptionalNumber(1)],
  randomSolarize: [NumberOnly(0.5), OptionalNumber(1)],
  subtractMean: [I(image)],
  toBytes: [],
  toFloat: [],
  randAugment: [Options({})],
  trivialAugment: [Options({})],
};

/** Functions of an image. */
const FUNCTIONAL = {
  adjustBrightness: [NumberOnly(2)],
  adjustContrast: [NumberOnly(2)],
  adjustGamma: [NumberOnly(2)],
  adjustHue: [I(0.1)],
  adjustSaturation: [NumberOnly(2)],
  adjustSharpness: [NumberOnly(2)],
  affine: [Record({ angle: 10 })],
  autocontrast: [],
  centerCrop: [I([4, 4])],
  crop: [I(0), I(0), I(2), I(2), argument('undefined', 'number', 'float32array')(0)],
  equalize: [],
  erase: [I({ top: 0, left: 0, height: 2, width: 2 }), argument('undefined', 'number', 'float32array')(0)],
  filter2d: [argument('list')(functional.kernels.sobelX ?? functional.gaussianKernel(3, 1)), Options({})],
  fiveCrop: [I([4, 4])],
  gaussianBlur: [I(3), OptionalNumber(1)],
  gaussianNoise: [I(random), Options({})],
  horizontalFlip: [],
  invert: [],
  normalize: [argument('number')([0, 0, 0]), argument('number')([1, 1, 1])],
  pad: [Numbers(2), Options({})],
  posterize: [I(3)],
  quarterTurns: [I(1)],
  resize: [I(4), Options({})],
  rotate: [NumberOnly(10), Options({})],
  solarize: [NumberOnly(0.5)],
  subtractMean: [I(image)],
  tenCrop: [I([4, 4])],
  toBytes: [],
  toFloat: [],
  toGrayscale: [Optionally(1)],
  verticalFlip: [],
};

const ON_BATCHES = {
  mixup: [I({ x: zeros([2, 3, 4, 4]), y: labels }), I(random), I({ classes: 2 })],
  cutmix: [I({ x: zeros([2, 3, 4, 4]), y: labels }), I(random), I({ classes: 2 })],
  averageViews: [T(zeros([4, 2])), I(2)],
  stackImages: [I([image])],
  twoViews: [Fn((i) => i)],
  channelStatistics: [I([image])],
  meanImage: [I([image])],
};

describe('a wrong kind of argument is an error of its own', () => {
  it.each(Object.keys(CALLS))('%s', async (name) => {
    const [call, ...args] = CALLS[name];
    expect(await sweep(name, call, args)).toEqual([]);
  });
  it.each(Object.keys(TRANSFORMS))('transforms.%s', async (name) => {
    const args = TRANSFORMS[name];
    expect(await sweep(name, transforms[name], args)).toEqual([]);
    if (['compose', 'randomApply', 'randomChoice', 'randomOrder', 'deterministic'].includes(name)) return;
    const transform = transforms[name](...args.map(({ value }) => value));
    expect(await sweep(name, (value) => transform(value, random), [I(image)])).toEqual([]);
  });
  it.each(Object.keys(FUNCTIONAL))('functional.%s', async (name) => {
    expect(await sweep(name, functional[name], [I(image), ...FUNCTIONAL[name]])).toEqual([]);
  });
  it.each(Object.keys(ON_BATCHES))('%s', async (name) => {
    expect(await sweep(name, transforms[name], ON_BATCHES[name])).toEqual([]);
  });
});

/** Public functions that are swept elsewhere (`kinds.test.mjs`), take nothing, or share the checks of one that is swept here. */
const OTHERS = new Set(
  `parseCifar10 parseCifar100 isGzip npyField parseNpy readCifar10 readCifar100 readIdx readNpy
   readNpz SampleError cifar10 cifar100 fashionMnist tinyShakespeare breastCancer iris wine
   digits HostRandom imagesOf parseSafetensors TopKError Dice MeanIoU AveragePrecision MeanAbsoluteError
   RootMeanSquaredError Optimizer SGD Adam AdamW Adamax NAdam RAdam Adadelta
   Adagrad RMSprop ClosureOptimizer LBFGS NewtonCG GaussNewton LevenbergMarquardt simulatedAnnealing clipGradNorm_ clipGradValue_ maxNorm_ WeightAverage LRScheduler ReduceLROnPlateau formatEvent
   formatJson toHtml display parseEvent parseJson isLowerBetter chartText examine describeHealth randomSearch formatStudy
   studyCharts loadTorch TorchFile StoredTensor PythonName`.split(/\s+/),
);

it('covers every public function', () => {
  const spaces = { audio, data, transforms, io, metrics, optim, train };
  const seen = new Set(
    [...Object.keys(CALLS), ...Object.keys(TRANSFORMS), ...Object.keys(ON_BATCHES)].map(
      (name) => name.split(/[ ,.:]/)[0],
    ),
  );
  const missing = Object.entries(spaces).flatMap(([space, names]) =>
    Object.entries(names)
      .filter(([name, value]) => typeof value === 'function' && !seen.has(name) && !OTHERS.has(name))
      .map(([name]) => `${space}.${name}`),
  );
  expect(missing).toEqual([]);
  expect(
    Object.keys(functional)
      .filter((name) => typeof functional[name] === 'function' && !(name in FUNCTIONAL))
      .toSorted(),
  ).toEqual(['gaussianKernel', 'perspective', 'resizedCrop', 'transposeKernel']);
});

/** Two silent samples. */
function WAV() {
  const text = 'RIFF(\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x04\0\0\0\0\0\0\0';
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** A black pixel. */
function PNG() {
  return io.encodePng({ data: new Uint8Array(3), shape: [3, 1, 1] });
}

function running() {
  const watch = new metrics.Stopwatch();
  watch.start();
  return watch;
}

function callWith(name, fn) {
  if (name === 'jvp') return nabla.jvp(fn, [x], [x]);
  if (name === 'grad' || name === 'valueAndGrad') return nabla[name](fn)(x);
  return nabla[name](fn, x);
}

function startOptions() {
  const model = linear();
  return {
    model,
    optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
    train: new data.DataLoader(set(), { batchSize: 3 }),
    epochs: 1,
  };
}

function rateOptions() {
  const { epochs: _, ...rest } = startOptions();
  return { ...rest, steps: 10 };
}

function runDefinition() {
  return { name: 'a', title: 'b', settings: { epochs: 1 }, create: () => {} };
}

function mustBeOptions(value) {
  if (
    value === undefined ||
    (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
  )
    return value;
  return { value };
}

/** A file or folder that is not there is no fault of kind. */
function unlessMissing(error) {
  if (error.code === 'ENOENT') return;
  if (error instanceof nabla.NablaError && /there is no|not there|no files|nabla-kinds-|download/.test(error.message))
    return;
  throw error;
}

function writer() {
  return new train.SummaryWriter(join(folder, 'writer'));
}

function emptyZip() {
  return new Uint8Array([0x50, 0x4b, 5, 6, ...Array(18).fill(0)]);
}

function emptySafetensors() {
  return new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 123, 125]);
}

function GZIP() {
  return new Uint8Array(Buffer.from('H4sIAAAAAAAAA0tMSgYAwkEkNQMAAAA=', 'base64'));
}
