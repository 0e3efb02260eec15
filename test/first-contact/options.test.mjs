// Options that no call knows, as callers without types write them: each public function, class and method with an object
// of options refuses a name that it does not know, and names the one that was meant. In JavaScript, because TypeScript
// would not let it through (`test/types/options.test-d.ts`).

import { describe, expect, it } from 'vitest';
import * as nabla from 'nabla';
import * as data from 'nabla/data';
import * as transforms from 'nabla/data/transforms';
import * as metrics from 'nabla/metrics';
import * as models from 'nabla/models';
import * as nn from 'nabla/nn';
import * as optim from 'nabla/optim';
import * as train from 'nabla/train';

const { ones, tensor, zeros } = nabla;
const { functional } = transforms;

const x = zeros([4, 3]);
const images = zeros([1, 2, 6, 6]);
const lines = zeros([1, 2, 6]);
const labels = tensor(new Int32Array([0, 1, 2, 0]));
const image = { data: new Float32Array(3 * 8 * 8), shape: [3, 8, 8] };
const random = new (class {
  uniform() {
    return 0.5;
  }
})();
const parameters = () => new nn.Linear(2, 2).parameters();
const model = () => new nn.Linear(2, 2);
const set = () => new data.ArrayDataset({ x: { data: new Float32Array(6), shape: [6] } });
const trainer = (options) =>
  new train.Trainer({
    model: new nn.Linear(1, 1),
    optimizer: new optim.SGD(new nn.Linear(1, 1).parameters()),
    train: [],
    epochs: 1,
    ...options,
  });

/** [name, call, wrong name, the name that was meant] */
const MEANT = [
  // losses
  ['crossEntropy', (o) => nn.crossEntropy(x, labels, { reduction: 'sum', ...o }), 'ignore_index', 'ignoreIndex'],
  ['crossEntropy', (o) => nn.crossEntropy(x, labels, o), 'label_smoothing', 'labelSmoothing'],
  ['crossEntropy', (o) => nn.crossEntropy(x, labels, o), 'size_average', 'reduction'],
  ['nllLoss', (o) => nn.nllLoss(x, labels, o), 'ignore_index', 'ignoreIndex'],
  ['bceWithLogits', (o) => nn.bceWithLogits(x, x, o), 'pos_weight', 'posWeight'],
  ['bceLoss', (o) => nn.bceLoss(x, x, o), 'weights', 'weight'],
  ['klDivLoss', (o) => nn.klDivLoss(x, x, o), 'log_target', 'logTarget'],
  ['hingeLoss', (o) => nn.hingeLoss(x, x, o), 'Margin', 'margin'],
  ['diceLoss', (o) => nn.diceLoss(x, x, o), 'smoth', 'smooth'],
  ['mseLoss', (o) => nn.mseLoss(x, x, o), 'reduce', 'reduction'],
  ['l1Loss', (o) => nn.l1Loss(x, x, o), 'reducton', 'reduction'],
  ['huberLoss', (o) => nn.huberLoss(x, x, o), 'dleta', 'delta'],
  ['smoothL1Loss', (o) => nn.smoothL1Loss(x, x, o), 'reducion', 'reduction'],
  ['tripletMarginLoss', (o) => nn.tripletMarginLoss(x, x, x, o), 'epsilon', 'eps'],
  ['ntXentLoss', (o) => nn.ntXentLoss(x, x, o), 'temprature', 'temperature'],
  // functions of layers
  ['conv2d', (o) => nabla.conv2d(images, zeros([2, 2, 3, 3]), { stride: 1, ...o }), 'pad', 'padding'],
  ['conv1d', (o) => nabla.conv1d(lines, zeros([2, 2, 3]), o), 'strides', 'stride'],
  ['convTranspose2d', (o) => nabla.convTranspose2d(images, zeros([2, 2, 3, 3]), o), 'output_padding', 'outputPadding'],
  ['convTranspose1d', (o) => nabla.convTranspose1d(lines, zeros([2, 2, 3]), o), 'dilatation', 'dilation'],
  ['maxPool2d', (o) => nabla.maxPool2d(images, 2, o), 'ceil_mode', 'ceilMode'],
  ['maxPool1d', (o) => nabla.maxPool1d(lines, 2, o), 'ceil_mode', 'ceilMode'],
  ['avgPool2d', (o) => nabla.avgPool2d(images, 2, o), 'count_include_pad', 'countIncludePad'],
  ['avgPool1d', (o) => nabla.avgPool1d(lines, 2, o), 'count_include_pad', 'countIncludePad'],
  ['maxPool2dWithIndices', (o) => nabla.maxPool2dWithIndices(images, 2, o), 'pad', 'padding'],
  ['maxPool1dWithIndices', (o) => nabla.maxPool1dWithIndices(lines, 2, o), 'pad', 'padding'],
  ['interpolate', (o) => nabla.interpolate(images, { size: 3, ...o }), 'align_corners', 'alignCorners'],
  ['scaledDotProductAttention', (o) => nabla.scaledDotProductAttention(x, x, x, o), 'attn_mask', 'mask'],
  ['scaledDotProductAttention', (o) => nabla.scaledDotProductAttention(x, x, x, o), 'dropout_p', 'dropout'],
  // layers
  ['Linear', (o) => new nn.Linear(2, 2, o), 'use_bias', 'bias'],
  ['Bilinear', (o) => new nn.Bilinear(2, 2, 2, o), 'Bias', 'bias'],
  ['Embedding', (o) => new nn.Embedding(2, 2, o), 'padding_idx', 'paddingIdx'],
  ['Conv1d', (o) => new nn.Conv1d(2, 2, 3, o), 'pad', 'padding'],
  ['Conv2d', (o) => new nn.Conv2d(2, 2, 3, { stride: 1, ...o }), 'pad', 'padding'],
  ['ConvTranspose1d', (o) => new nn.ConvTranspose1d(2, 2, 3, o), 'output_padding', 'outputPadding'],
  ['ConvTranspose2d', (o) => new nn.ConvTranspose2d(2, 2, 3, o), 'output_padding', 'outputPadding'],
  ['DepthwiseSeparableConv2d', (o) => new nn.DepthwiseSeparableConv2d(2, 2, 3, o), 'pad', 'padding'],
  ['MaxPool1d', (o) => new nn.MaxPool1d(2, o), 'ceil_mode', 'ceilMode'],
  ['MaxPool2d', (o) => new nn.MaxPool2d(2, { stride: 2, ...o }), 'ceil_mode', 'ceilMode'],
  ['AvgPool1d', (o) => new nn.AvgPool1d(2, o), 'ceil_mode', 'ceilMode'],
  ['AvgPool2d', (o) => new nn.AvgPool2d(2, o), 'count_include_pad', 'countIncludePad'],
  ['MaxUnpool1d', (o) => new nn.MaxUnpool1d(2, o), 'strides', 'stride'],
  ['MaxUnpool2d', (o) => new nn.MaxUnpool2d(2, o), 'strides', 'stride'],
  ['Upsample', (o) => new nn.Upsample({ scaleFactor: 2, ...o }), 'align_corners', 'alignCorners'],
  ['BatchNorm1d', (o) => new nn.BatchNorm1d(2, o), 'track_running_stats', 'trackRunningStats'],
  ['BatchNorm2d', (o) => new nn.BatchNorm2d(2, o), 'epsilon', 'eps'],
  ['LayerNorm', (o) => new nn.LayerNorm(2, o), 'elementwise_affine', 'elementwiseAffine'],
  ['RMSNorm', (o) => new nn.RMSNorm(2, o), 'epsilon', 'eps'],
  ['GroupNorm', (o) => new nn.GroupNorm(1, 2, o), 'afine', 'affine'],
  ['InstanceNorm1d', (o) => new nn.InstanceNorm1d(2, o), 'track_running_stats', 'trackRunningStats'],
  ['InstanceNorm2d', (o) => new nn.InstanceNorm2d(2, o), 'Momentum', 'momentum'],
  ['LocalResponseNorm', (o) => new nn.LocalResponseNorm(2, o), 'apha', 'alpha'],
  ['RNN', (o) => new nn.RNN(2, 2, o), 'num_layers', 'numLayers'],
  ['LSTM', (o) => new nn.LSTM(2, 2, o), 'batch_first', 'batchFirst'],
  ['LSTM', (o) => new nn.LSTM(2, 2, o), 'layers', 'numLayers'],
  ['GRU', (o) => new nn.GRU(2, 2, o), 'bidirectionnal', 'bidirectional'],
  ['RNNCell', (o) => new nn.RNNCell(2, 2, o), 'Nonlinearity', 'nonlinearity'],
  ['GRUCell', (o) => new nn.GRUCell(2, 2, o), 'biais', 'bias'],
  ['LSTMCell', (o) => new nn.LSTMCell(2, 2, o), 'use_bias', 'bias'],
  ['ConvLSTM', (o) => new nn.ConvLSTM(2, 2, 3, o), 'num_layers', 'numLayers'],
  ['ConvLSTMCell', (o) => new nn.ConvLSTMCell(2, 2, 3, o), 'use_bias', 'bias'],
  ['GRU', (o) => new nn.GRU(3, 2).forward(zeros([2, 1, 3]), undefined, o), 'length', 'lengths'],
  ['MultiheadAttention', (o) => new nn.MultiheadAttention(4, 2, o), 'batch_first', 'batchFirst'],
  [
    'MultiheadAttention',
    (o) => new nn.MultiheadAttention(3, 1).forward(x, x, x, o),
    'key_padding_mask',
    'keyPaddingMask',
  ],
  ['TransformerEncoderLayer', (o) => new nn.TransformerEncoderLayer(4, 2, o), 'dim_feedforward', 'dimFeedforward'],
  ['TransformerDecoderLayer', (o) => new nn.TransformerDecoderLayer(4, 2, o), 'norm_first', 'normFirst'],
  ['Transformer', (o) => new nn.Transformer(4, 2, o), 'num_encoder_layers', 'numEncoderLayers'],
  ['GCNConv', (o) => new nn.GCNConv(2, 2, o), 'add_self_loops', 'addSelfLoops'],
  ['GATConv', (o) => new nn.GATConv(2, 2, o), 'negative_slope', 'negativeSlope'],
  ['loadStateDict', (o) => model().loadStateDict({}, o), 'Strict', 'strict'],
  ['kaimingUniform', (o) => nn.init.kaimingUniform([2, 2], o), 'non_linearity', 'nonlinearity'],
  ['kaimingNormal', (o) => nn.init.kaimingNormal([2, 2], o), 'Mode', 'mode'],
  // optimisers
  ['SGD', (o) => new optim.SGD(parameters(), o), 'learning_rate', 'lr'],
  ['SGD', (o) => new optim.SGD(parameters(), o), 'weight_decay', 'weightDecay'],
  ['Adam', (o) => new optim.Adam(parameters(), o), 'learningRate', 'lr'],
  ['Adam', (o) => new optim.Adam(parameters(), { lr: 1, ...o }), 'epsilon', 'eps'],
  ['AdamW', (o) => new optim.AdamW(parameters(), o), 'wd', 'weightDecay'],
  ['Adamax', (o) => new optim.Adamax(parameters(), o), 'beta1', 'betas'],
  ['NAdam', (o) => new optim.NAdam(parameters(), o), 'momentum_decay', 'momentumDecay'],
  ['RAdam', (o) => new optim.RAdam(parameters(), o), 'learningrate', 'lr'],
  ['Adagrad', (o) => new optim.Adagrad(parameters(), o), 'lr_decay', 'lrDecay'],
  ['Adadelta', (o) => new optim.Adadelta(parameters(), o), 'roh', 'rho'],
  ['RMSprop', (o) => new optim.RMSprop(parameters(), o), 'Alpha', 'alpha'],
  ['SGD', (o) => new optim.SGD([{ params: parameters(), ...o }]), 'learning_rate', 'lr'],
  [
    'Adam',
    (o) => new optim.Adam(parameters()).addParamGroup({ params: parameters(), ...o }),
    'weight_decay',
    'weightDecay',
  ],
  ['ReduceLROnPlateau', (o) => new optim.ReduceLROnPlateau(new optim.SGD(parameters()), o), 'min_lr', 'minLr'],
  ['oneCycle', (o) => optim.oneCycle(0, 10, 1, o), 'div_factor', 'divFactor'],
  ['cyclic', (o) => optim.cyclic(0, 10, 1, 0, o), 'amplitud', 'amplitude'],
  ['clipGradNorm_', (o) => optim.clipGradNorm_(parameters(), 1, o), 'norm_type', 'normType'],
  ['WeightAverage', (o) => new optim.WeightAverage(parameters(), o), 'Decay', 'decay'],
  // tensors
  ['tensor', (o) => tensor([1], o), 'requires_grad', 'requiresGrad'],
  ['zeros', (o) => zeros([2], o), 'dtyp', 'dtype'],
  ['ones', (o) => ones([2], o), 'type', 'dtype'],
  ['full', (o) => nabla.full([2], 1, o), 'requires_grad', 'requiresGrad'],
  ['arange', (o) => nabla.arange(0, 3, 1, o), 'Dtype', 'dtype'],
  ['linspace', (o) => nabla.linspace(0, 1, 3, o), 'devise', 'device'],
  ['eye', (o) => nabla.eye(3, 3, o), 'dtype_', 'dtype'],
  ['rand', (o) => nabla.rand([2], o), 'requires_grad', 'requiresGrad'],
  ['randn', (o) => nabla.randn([2], o), 'requiresGrads', 'requiresGrad'],
  ['randint', (o) => nabla.randint(0, 3, [2], o), 'dtyp', 'dtype'],
  ...[
    'sum',
    'mean',
    'prod',
    'amax',
    'amin',
    'max',
    'min',
    'argmax',
    'argmin',
    'any',
    'all',
    'logsumexp',
    'var',
    'std',
  ].map((name) => [name, (o) => x[name](0, o), 'keepDim', 'keepdim']),
  ['sum', (o) => x.sum(0, o), 'keepdims', 'keepdim'],
  ['norm', (o) => x.norm(2, 0, o), 'keep_dim', 'keepdim'],
  ['var', (o) => x.var(0, o), 'ddof', 'correction'],
  ['std', (o) => x.std(0, o), 'unbiased', 'correction'],
  ['topk', (o) => x.topk(1, 0, o), 'Largest', 'largest'],
  ['compile', (o) => nabla.compile(() => x, o), 'on_difference', 'onDifference'],
  ['graphOf', (o) => nabla.graphOf(x, o), 'value', 'values'],
  ['checkGradient', (o) => nabla.checkGradient((t) => t.sum(), [x], o), 'tol', 'tolerance'],
  // data
  ['DataLoader', (o) => new data.DataLoader(set(), o), 'batch_size', 'batchSize'],
  ['DataLoader', (o) => new data.DataLoader(set(), o), 'num_workers', 'workers'],
  ['DataLoader', (o) => new data.DataLoader(set(), o), 'drop_last', 'dropLast'],
  ['DataLoader', (o) => new data.DataLoader(set(), o), 'collate_fn', 'collate'],
  ['split', (o) => set().split({ a: 0.5, b: 0.5 }, o), 'stratified', 'stratify'],
  ['folds', (o) => set().folds(2, o), 'shufle', 'shuffle'],
  ['kFold', (o) => data.kFold(6, 2, o), 'group', 'groups'],
  ['RandomSampler', (o) => new data.RandomSampler(set(), o), 'num_samples', 'numSamples'],
  ['WeightedRandomSampler', (o) => new data.WeightedRandomSampler([1, 1], 2, o), 'replace', 'replacement'],
  ['StratifiedSampler', (o) => new data.StratifiedSampler([0, 1], { batchSize: 2, ...o }), 'Seed', 'seed'],
  [
    'DistributedSampler',
    (o) => new data.DistributedSampler(set(), { numReplicas: 1, rank: 0, ...o }),
    'drop_last',
    'dropLast',
  ],
  ['parseCsv', (o) => data.parseCsv('a,b\n1,2', o), 'delimeter', 'delimiter'],
  ['classification', (o) => data.parseCsv('a,b\n1,2\n2,3').classification('b', o), 'feature', 'features'],
  ['regression', (o) => data.parseCsv('a,b\n1,2\n2,3').regression('b', o), 'feature', 'features'],
  ['moons', (o) => data.moons(o), 'n_samples', 'samples'],
  ['circles', (o) => data.circles(o), 'Noise', 'noise'],
  ['blobs', (o) => data.blobs(o), 'center', 'centers'],
  ['spirals', (o) => data.spirals(o), 'num_classes', 'classes'],
  ['shapes', (o) => data.shapes(o), 'sizes', 'size'],
  ['diabetes', (o) => data.diabetes(o), 'scale', 'scaled'],
  ['WordVocabulary.of', (o) => data.WordVocabulary.of(['a'], o), 'min_frequency', 'minFrequency'],
  ['TokenWindows', (o) => new data.TokenWindows(new Int32Array(9), { length: 2, ...o }), 'strides', 'stride'],
  ['mnist', (o) => data.mnist(o), 'Download', 'download'],
  ['fashionMnist', (o) => data.fashionMnist(o), 'downlod', 'download'],
  ['cifar10', (o) => data.cifar10(o), 'on_progress', 'onProgress'],
  ['cifar100', (o) => data.cifar100(o), 'folders', 'folder'],
  ['tinyShakespeare', (o) => data.tinyShakespeare(o), 'onProgres', 'onProgress'],
  ['imageFolder', (o) => data.imageFolder('.', o), 'sizes', 'size'],
  ['readCsv', (o) => data.readCsv('nowhere', o), 'headers', 'header'],
  ['readNpy', (o) => data.readNpy('nowhere', o), 'max_bytes', 'maxBytes'],
  // transforms
  ['resize', (o) => transforms.resize(4, o), 'anti_alias', 'antialias'],
  ['pad', (o) => transforms.pad(1, o), 'Fill', 'fill'],
  ['randomCrop', (o) => transforms.randomCrop(4, o), 'pad', 'padding'],
  ['randomResizedCrop', (o) => transforms.randomResizedCrop(4, o), 'scales', 'scale'],
  ['randomRotation', (o) => transforms.randomRotation(4, o), 'centre', 'center'],
  ['randomAffine', (o) => transforms.randomAffine({ degrees: 3, ...o }), 'shears', 'shear'],
  ['randomPerspective', (o) => transforms.randomPerspective(o), 'Distortion', 'distortion'],
  ['colorJitter', (o) => transforms.colorJitter(o), 'brigthness', 'brightness'],
  ['gaussianNoise', (o) => transforms.gaussianNoise(o), 'Sigma', 'sigma'],
  ['randomErasing', (o) => transforms.randomErasing(o), 'ratios', 'ratio'],
  ['randAugment', (o) => transforms.randAugment(o), 'magnitud', 'magnitude'],
  ['trivialAugment', (o) => transforms.trivialAugment(o), 'bin', 'bins'],
  ['rotate', (o) => functional.rotate(image, 3, o), 'expands', 'expand'],
  ['affine', (o) => functional.affine(image, { angle: 3, ...o }), 'scales', 'scale'],
  ['resize', (o) => functional.resize(image, 4, o), 'interpolate', 'interpolation'],
  ['pad', (o) => functional.pad(image, 1, o), 'modus', 'mode'],
  // metrics
  ['Accuracy', (o) => new metrics.Accuracy(o), 'num_classes', 'numClasses'],
  ['TopKAccuracy', (o) => new metrics.TopKAccuracy(2, o), 'ignore_index', 'ignoreIndex'],
  ['F1', (o) => new metrics.F1(o), 'zero_division', 'zeroDivision'],
  ['FBeta', (o) => new metrics.FBeta(1, o), 'averge', 'average'],
  ['ConfusionMatrix', (o) => new metrics.ConfusionMatrix(o), 'normalise', 'normalize'],
  ['CalibrationError', (o) => new metrics.CalibrationError(o), 'bin', 'bins'],
  ['AUROC', (o) => new metrics.AUROC(o), 'Average', 'average'],
  ['Perplexity', (o) => new metrics.Perplexity(o), 'ignore_index', 'ignoreIndex'],
  ['Bleu', (o) => new metrics.Bleu(o), 'max_order', 'maxOrder'],
  // models
  ['lenet5', (o) => models.lenet5(o), 'num_classes', 'classes'],
  ['cnn', (o) => models.cnn(o), 'Channels', 'channels'],
  ['GPT', (o) => new models.GPT({ vocabulary: 4, ...o }), 'head', 'heads'],
  ['CharLSTM', (o) => new models.CharLSTM({ vocabulary: 4, ...o }), 'dropout_rate', 'dropout'],
  ['ResNet', (o) => models.resnet18(o), 'num_classes', 'classes'],
  ['AlexNet', (o) => models.alexnet(o), 'num_classes', 'classes'],
  ['VGG', (o) => models.vgg16(o), 'Norm', 'norm'],
  ['DenseNet', (o) => models.densenet121(o), 'Dropout', 'dropout'],
  ['EfficientNet', (o) => models.efficientnetB0(o), 'stochastic_depth', 'stochasticDepth'],
  ['GoogLeNet', (o) => models.googlenet(o), 'aux_logits', 'auxLogits'],
  ['VisionTransformer', (o) => models.vitB16(o), 'image_size', 'imageSize'],
  ['FCN', (o) => models.fcn(o), 'aux_loss', 'auxLoss'],
  ['UNet', (o) => models.unet(o), 'Padded', 'padded'],
  // runs
  ['Trainer', trainer, 'max_epochs', 'epochs'],
  ['Trainer', trainer, 'lossFn', 'loss'],
  ['Trainer', trainer, 'scheduler', 'schedule'],
  ['Trainer', trainer, 'gradient_clip', 'clipNorm'],
  ['Trainer: earlyStopping', (o) => trainer({ earlyStopping: o }), 'min_delta', 'minDelta'],
  ['Trainer: checkpoint', (o) => trainer({ checkpoint: o }), 'bests', 'best'],
  ['Trainer: weightAverage', (o) => trainer({ weightAverage: o }), 'Decay', 'decay'],
  ['Trainer: doctor', (o) => trainer({ doctor: o }), 'evry', 'every'],
  ['ConsoleLogger', (o) => new train.ConsoleLogger(o), 'every_steps', 'everySteps'],
  ['checkInitialLoss', (o) => train.checkInitialLoss(1, { classes: 2, ...o }), 'tolerence', 'tolerance'],
  ['overfitOneBatch', (o) => train.overfitOneBatch(model(), {}, o), 'step', 'steps'],
  ['findLearningRate', (o) => train.findLearningRate({ model: model(), ...o }), 'smooth', 'smoothing'],
  ['search', (o) => train.search({ a: [1, 2] }, () => 1, o), 'trial', 'trials'],
];

/** What a call throws, at once or when awaited. */
async function faultOf(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('options', () => {
  it.each(MEANT.map(([name, call, wrong, meant]) => ({ name, call, wrong, meant })))(
    '$name: $wrong → $meant',
    async ({ name, call, wrong, meant }) => {
      const fault = await faultOf(() => call({ [wrong]: 1 }));
      expect(fault?.message).toBe(`${name}: there is no option '${wrong}'. Did you mean ${meant}?`);
      expect(fault.name).toBe('ArgumentError');
    },
  );

  it('are listed where no name is near', async () => {
    expect(() => zeros([2], { banana: 1 })).toThrow(
      "zeros: there is no option 'banana'. There are dtype, device and requiresGrad.",
    );
    expect(() => new nn.Linear(2, 2, { banana: 1 })).toThrow("Linear: there is no option 'banana'. There is bias.");
    // names that every object has are no options
    expect(() => zeros([2], { constructor: 1 })).toThrow("there is no option 'constructor'");
    expect(() => zeros([2], JSON.parse('{ "__proto__": 1 }'))).toThrow("there is no option '__proto__'");
  });

  it('are objects', () => {
    expect(() => x.sum(1, true)).toThrow(
      'sum: true is not an object of options. Write { keepdim: true }, or leave it out.',
    );
    expect(() => nn.crossEntropy(x, labels, x)).toThrow(
      'crossEntropy: Tensor([4, 3], float32, cpu) is not an object of options. Write { weight: … }',
    );
    expect(() => nn.mseLoss(x, x, 'sum')).toThrow(
      "mseLoss: 'sum' is not an object of options. Write { reduction: 'sum' }",
    );
    expect(() => new nn.Conv2d(1, 2, 3, 1)).toThrow('Conv2d: 1 is not an object of options. Write { stride: 1 }');
    expect(() => new optim.SGD(parameters(), 0.1)).toThrow('SGD: 0.1 is not an object of options. Write { lr: 0.1 }');
    expect(() => zeros([2], 'int32')).toThrow("zeros: 'int32' is not an object of options. Write { dtype: 'int32' }");
    expect(() => zeros([2], null)).toThrow('zeros: null is not an object of options');
    expect(() => new data.DataLoader(set(), 32)).toThrow(
      'DataLoader: 32 is not an object of options. Write { batchSize: 32 }',
    );
    expect(() => x.mean(0, [true])).toThrow('mean: the list [true] is not an object of options');
    expect(() => x.mean(0, Promise.resolve({}))).toThrow('mean: Promise is not an object of options');
  });

  it('may be of a class, of another realm, or without a prototype', () => {
    const bare = Object.assign(Object.create(null), { keepdim: true });
    expect(x.sum(0, bare).shape).toEqual([1, 3]);
    class Options {
      keepdim = true;
    }
    expect(x.sum(0, new Options()).shape).toEqual([1, 3]);
    expect(x.sum(0, undefined).shape).toEqual([3]);
    expect(random.uniform()).toBe(0.5);
  });
});
