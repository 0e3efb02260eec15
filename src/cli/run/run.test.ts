// `nabla run`, and `nabla convert` to ONNX: models of all kinds, inputs of all kinds, and what is said of those that do not fit.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Tensor, manualSeed, noGrad, setDevice, tensor, zeros } from '../../index.js';
import { encodeWav } from '../../audio/index.js';
import { parseNpy, parseNpz, readImage } from '../../data/index.js';
import { encodePng, loadTorch, saveSafetensors } from '../../io/index.js';
import { quantile } from '../../metrics/stopwatch.js';
import { BertClassifier, BertMaskedLM, squeezenet11 } from '../../models/index.js';
import { Conv2d, Flatten, Linear, Module, ReLU, Sequential } from '../../nn/index.js';
import { loadOnnx, saveOnnx } from '../../onnx/index.js';
import { imagePreprocessing } from '../../vision/index.js';
import { commandLine } from '../../../test/support/command-line.js';
import { wordPieceTokenizer } from '../../../test/support/word-piece.js';
import { writeModel } from '../../../test/support/onnx-writer.js';

setDevice('reference');

let folder: string;
const at = (name: string): string => join(folder, name);

/** Two inputs, one of them with a size that may be any. */
class Affine extends Module {
  readonly linear = new Linear(3, 2);
  forward(x: Tensor<[number, 3]>, scale: Tensor<[]>): { y: Tensor; sums: Tensor } {
    const y: Tensor = this.linear.forward(x).mul(scale);
    return { y, sums: y.sum(1) };
  }
}
const affine = new Affine();
const vision = new Sequential(new Conv2d(3, 4, 3, { stride: 2 }), new ReLU(), new Flatten(), new Linear(36, 3));

beforeAll(async () => {
  manualSeed(0);
  folder = mkdtempSync(join(tmpdir(), 'nabla-run-'));
  const names = { inputNames: ['x', 'scale'], dynamic: { x: { 0: 'batch' } } };
  await saveOnnx(at('affine.onnx'), affine, [zeros([2, 3]), zeros([])], names);
  await saveOnnx(at('vision.onnx'), vision, zeros([1, 3, 8, 8]), { dynamic: { 0: 'batch' } });
  writeFileSync(at('labels.txt'), 'cat\ndog\n\nowl\n');
  for (const [name, shade] of [
    ['a.png', 200],
    ['b.png', 20],
  ] as const) {
    const pixels = Uint8Array.from({ length: 12 * 10 * 3 }, (_, i) => (i * shade) % 256);
    writeFileSync(at(name), await encodePng({ data: pixels, shape: [3, 10, 12] }));
  }
}, 30_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One command line: its exit code, and what it prints. */
const nabla = (...args: string[]) => commandLine(args, folder).finally(() => setDevice('reference'));

/** Tensors go with the devices that a command disposes of: what is compared is read before. */
const numbersOf = async (t: Tensor): Promise<number[]> => Array.from(await t.data());

const runIt = (...args: string[]) => nabla('run', ...args, '--device', 'reference');

test('an ONNX model: inputs by name from lists, numbers and files; outputs as text, npz, npy and JSON', async () => {
  const x = tensor([[1, 2, 3]]);
  const y = await numbersOf(noGrad(() => affine.forward(x, tensor(2)).y));
  const { code, out, err } = await runIt(at('affine.onnx'), '--input', 'x=[[1, 2, 3]]', '-i', 'scale=2');
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(
    /^y +float32 \[1, 2\]\n {2}\[\[ *-?[\d.]+, +-?[\d.]+\]\]\nsums +float32 \[1\]\n {2}\[-?[\d.e-]+\]\n$/,
  );
  const shown = /\[\[(.*), (.*)\]\]/.exec(out)!.slice(1).map(Number);
  shown.forEach((n, i) => expect(n).toBeCloseTo(y[i], 2));
  // one sample for a batch, without a name
  await runIt(at('affine.onnx'), '-i', '[1, 2, 3]', '-i', '2', '--output', at('o.npz'));
  const arrays = await parseNpz(readFileSync(at('o.npz')));
  expect([...(arrays['y'].data as Float32Array)]).toEqual(y.map(Math.fround));
  expect([arrays['y'].shape, arrays['sums'].shape]).toEqual([[1, 2], [1]]);
  // a file of arrays by the names of inputs, and JSON lines
  writeFileSync(at('x.json'), '[[1, 2, 3], [0, 0, 0]]');
  const lines = (await runIt(at('affine.onnx'), '-i', `x=${at('x.json')}`, '-i', 'scale=1', '--json')).out;
  const [first, second] = lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect([first['output'], first['shape'], second['output'], second['shape']]).toEqual(['y', [2, 2], 'sums', [2]]);
  await runIt(at('affine.onnx'), '-i', 'x=random[4,3]', '-i', 'scale=ones', '-o', at('o.json'));
  expect((JSON.parse(readFileSync(at('o.json'), 'utf8')) as { y: { shape: number[] } }).y.shape).toEqual([4, 2]);
  await saveSafetensors(at('in.safetensors'), { x: tensor([[1, 2, 3]]), scale: tensor(2) });
  const again = await runIt(at('affine.onnx'), '-i', at('in.safetensors'));
  expect(again.out).toBe(out);
});

test('inputs that do not fit are told in one sentence', async () => {
  const cases: readonly (readonly [args: readonly string[], message: string | RegExp])[] = [
    [[], /nothing to run it on\. It takes x float32 \[batch, 3\]; scale float32 \[\]: give --input, or --bench 20/],
    [
      ['-i', 'x=[[1, 2]]'],
      'the inputs do not fit the model: the input "x" is [1, 2], the graph takes (float32 [batch, 3]); the input "scale" (float32 []) is missing.',
    ],
    [['-i', 'z=3'], /the model has no input 'z'\. It has x, scale\./],
    [['-i', 'x=none.npy'], /there is no file 'none\.npy', and it is no number/],
    [['-i', 'x=[[1, 2, 3], [1]]'], /a list of lists of numbers that are equally long is wanted/],
    [['-i', 'x=[1, 2', '-i', '1'], /--input: .*JSON/],
    [['-i', '1', '-i', '1', '-i', '1'], /the model takes 2 inputs \(x, scale\), and all are given/],
    [['-i', '[1,2,3]', '-i', '1', '-o', 'out.txt'], /its format is not known/],
    [['-i', '[1,2,3]', '-i', '1', '-o', at('o.npy')], /there are 2 outputs, and an npy file holds one/],
    [['-i', '[1,2,3]', '-i', '1', '--weights', 'w.pt'], /--weights: .* is an ONNX model, which has all of it/],
    [['-i', `x=${at('a.png')}`], /it takes \[batch, 3\], which is no picture/],
    [
      ['-i', '[1,2,3]', '-i', '1', '--labels', at('labels.txt')],
      /there are 3 labels, and no output has as many classes: y \[1, 2\], sums \[1\]/,
    ],
    [['-i', '[1,2,3]', '-i', '1', '--bench', '0'], /'0' is invalid/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await runIt(at('affine.onnx'), ...args);
    expect([args, code, out, err.split('\n').length]).toEqual([args, 2, '', 2]);
    if (typeof message === 'string') expect(err).toBe(`nabla: ${message}\n`);
    else expect(err).toMatch(message);
  }
  writeFileSync(at('weights.safetensors'), '');
  const none = [
    ['resnet19', /no model 'resnet19'\. The nearest name is resnet18/],
    ['./none.onnx', /cannot read \.\/none\.onnx: there is no such file/],
    [at('weights.safetensors'), /holds weights, and not how a network is made of them/],
    [folder, /is a folder without a model/],
    ['resnet18', /resnet18 is a network without weights\. Say which file has them/],
  ] as const;
  for (const [source, message] of none) expect((await runIt(source, '-i', '1')).err).toMatch(message);
});

test('pictures: by the size of the graph and a preprocessing by name; classes by their labels; --bench', async () => {
  const preprocess = imagePreprocessing('imagenet', { resize: 9, crop: 8 }); // 256 → 224, at 8
  const input: Tensor = await preprocess(await Promise.all(['a.png', 'b.png'].map((name) => readImage(at(name)))));
  const { output: logits } = await (await loadOnnx(at('vision.onnx'))).run({ input });
  const [wanted, best] = [await numbersOf(logits), await logits.argmax(1).data()];
  const images = ['-i', at('a.png'), '-i', at('b.png')];
  await runIt(at('vision.onnx'), ...images, '--preprocess', 'imagenet', '-o', at('o.npy'));
  const { data, shape } = parseNpy(readFileSync(at('o.npy')));
  expect(shape).toEqual([2, 3]);
  wanted.forEach((n, i) => expect(Number(data[i])).toBeCloseTo(n, 4));

  const labelled = await runIt(
    at('vision.onnx'),
    ...images,
    '--preprocess',
    'imagenet',
    '--labels',
    at('labels.txt'),
    '--top',
    '2',
  );
  expect(labelled.out).toMatch(
    /^…\/a\.png\n( {2}(cat|dog|owl) +\d+\.\d %\n){2}…\/b\.png\n( {2}(cat|dog|owl) +\d+\.\d %\n){2}$/,
  );
  expect(labelled.out.split('\n')[1]).toContain(['cat', 'dog', 'owl'][best[0]]);
  const plain = await runIt(at('vision.onnx'), '-i', at('a.png'));
  expect(plain.out).toMatch(/^input: pixels from 0 to 1, not normalised \(--preprocess/);
  expect((await runIt(at('vision.onnx'), '-i', at('a.png'), '--preprocess', 'imagnet')).err).toMatch(
    /Did you mean imagenet/,
  );

  const { out } = await runIt(at('vision.onnx'), '--bench', '5', '--json');
  const timing = JSON.parse(out) as Record<string, number>;
  expect([timing['runs'], timing['device']]).toEqual([5, 'reference']);
  expect(timing['lowerQuartile']).toBeLessThanOrEqual(timing['median']);
  expect(timing['median']).toBeLessThanOrEqual(timing['upperQuartile']);
  expect((await runIt(at('vision.onnx'), '--bench', '2')).out).toMatch(
    /input: 1 for batch\nmedian .*ms {2}\(quartiles .*, 2 runs\)\nload .* ms, first run .* ms\ndevice {2}reference/,
  );
  expect([0, 0.25, 0.5, 1].map((share) => quantile([1, 2, 4, 8], share))).toEqual([1, 1.75, 3, 8]);
});

test('sounds: one channel at the rate of the model, along the dimension of time', async () => {
  const stereo = tensor([
    [0.5, 0.25, -0.5, 0],
    [0.5, -0.25, -0.5, 1],
  ]);
  writeFileSync(at('s.wav'), await encodeWav(stereo, 8000, { encoding: 'float32' }));
  for (const dims of [[1, 'time'], ['batch', 'time', 1], [1, 1, 'time'], ['time']] as const) {
    const io = { inputs: [{ name: 'x', dims }], outputs: [{ name: 'y' }] };
    writeFileSync(at('neg.onnx'), writeModel({ ...io, nodes: [{ op: 'Neg', in: ['x'], out: ['y'] }] }));
    const { out, err } = await runIt(at('neg.onnx'), '-i', at('s.wav'), '-o', at('s.npy'));
    expect([err, out]).toEqual(['', expect.stringMatching(/^x: 4 samples at 8000 Hz, as in the file/)]);
    const { data, shape } = parseNpy(readFileSync(at('s.npy')));
    expect([shape, [...(data as Float32Array)].map((n) => n + 0)]).toEqual([
      dims.map((n) => (n === 'time' ? 4 : 1)),
      [-0.5, 0, 0.5, -0.5],
    ]);
  }
  await runIt(at('neg.onnx'), '-i', at('s.wav'), '--rate', '16000', '-o', at('s.npy'));
  expect(parseNpy(readFileSync(at('s.npy'))).shape).toEqual([8]);
  writeFileSync(at('no.wav'), 'RIFF');
  expect((await runIt(at('neg.onnx'), '-i', at('no.wav'))).err).toMatch(/^nabla: readWav: …\/no\.wav/);
});

test('a network by name with weights, whose file says how many classes there are; as ONNX it gives the same', async () => {
  const net = squeezenet11({ classes: 3 });
  await saveSafetensors(at('net.safetensors'), net.stateDict());
  const [keys, weights] = [Object.keys(net.stateDict()), await net.stateDict()['classifier.1.weight'].data()];
  const zoo = ['squeezenet1_1', '--weights', at('net.safetensors'), '--size', '32'];
  const { out, err } = await runIt(...zoo, '-i', at('a.png'), '--labels', at('labels.txt'), '-o', at('zoo.npy'));
  expect(err).toBe('');
  expect(out).toMatch(/^(cat|dog|owl) /);
  const converted = await nabla('convert', ...zoo.slice(0, 1), at('net.onnx'), ...zoo.slice(1), '--opset', '18');
  expect(converted.out).toMatch(
    /^…\/net\.onnx: squeezenet11, weights from …\/net\.safetensors; takes input float32 \[batch, 3, 32, 32\]; /,
  );
  await runIt(at('net.onnx'), '-i', at('a.png'), '--preprocess', 'imagenet', '-o', at('onnx.npy'));
  const [a, b] = ['zoo.npy', 'onnx.npy'].map((name) => parseNpy(readFileSync(at(name))).data as Float32Array);
  a.forEach((n, i) => expect(b[i]).toBeCloseTo(n, 4));
  // and the other way round: the weights of the ONNX model have the keys of the network
  await nabla('convert', at('net.onnx'), at('back.pt'));
  const back = await loadTorch(at('back.pt'));
  expect(Object.keys(back.stored()).toSorted()).toEqual(keys.toSorted());
  const same = await (await back.tensors())['classifier.1.weight'].data();
  expect(same).toEqual(weights);

  const refused = [
    [['convert', at('net.safetensors'), at('x.onnx')], /Name the network: nabla convert resnet18 .*x\.onnx --weights/],
    [['convert', at('net.onnx'), at('x.onnx')], /is an ONNX model already/],
    [['convert', at('net.safetensors'), at('x.npz'), '--opset', '17'], /--opset: .* which it does not concern/],
    [['convert', 'squeezenet11', at('x.onnx'), '--weights', at('net.safetensors'), '--dtype', 'float16'], /--dtype: /],
    [['convert', 'resnet18', at('x.onnx'), '--weights', at('net.safetensors')], /net\.safetensors does not fit ResNet/],
    [['convert', at('net.onnx'), at('x.safetensors'), '--key', 'a'], /whose weights are all in one list/],
  ] as const;
  for (const [args, message] of refused) expect((await nabla(...args)).err).toMatch(message);
});

test('a folder of transformers: texts through its tokenizer, classes by the names of its config.json', async () => {
  const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'good', 'bad', 'film', 'a'];
  const bert = new BertClassifier({
    vocabSize: 9,
    hiddenSize: 8,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    intermediateSize: 16,
    maxPositionEmbeddings: 16,
  });
  mkdirSync(at('bert'));
  await saveSafetensors(at('bert/model.safetensors'), bert.stateDict());
  const config = {
    architectures: ['BertForSequenceClassification'],
    model_type: 'bert',
    vocab_size: 9,
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 16,
    max_position_embeddings: 16,
    id2label: { 0: 'negative', 1: 'positive' },
  };
  writeFileSync(at('bert/config.json'), JSON.stringify(config));
  writeFileSync(at('bert/tokenizer.json'), JSON.stringify(wordPieceTokenizer(words, 5, true)));
  const ids = tensor([[2, 8, 5, 7, 3]], { dtype: 'int32' });
  const wanted = await numbersOf(noGrad(() => bert.eval().forward(ids)));
  const { out, err } = await runIt(at('bert'), '-i', 'a good film', '-i', 'bad');
  expect(err).toBe('');
  expect(out).toMatch(
    /^a good film\n( {2}(negative|positive) +\d+\.\d %\n){2}bad\n( {2}(negative|positive) +\d+\.\d %\n){2}$/,
  );
  await runIt(at('bert'), '-i', 'a good film', '-o', at('bert.npy'));
  (parseNpy(readFileSync(at('bert.npy'))).data as Float32Array).forEach((n, i) => expect(n).toBeCloseTo(wanted[i], 5));
  // as ONNX, with the tokenizer beside it
  expect((await nabla('convert', at('bert'), at('bert.onnx'))).out).toContain(
    'takes input_ids int32 [batch, length], attention_mask',
  );
  await runIt(at('bert.onnx'), '--tokenizer', at('bert'), '-i', 'a good film', '-o', at('bert2.npy'));
  (parseNpy(readFileSync(at('bert2.npy'))).data as Float32Array).forEach((n, i) => expect(n).toBeCloseTo(wanted[i], 4));
  expect((await loadOnnx(at('bert.onnx'))).inputs.map(({ name }) => name)).toEqual([
    'input_ids',
    'attention_mask',
    'token_type_ids',
  ]);
  expect((await runIt(at('bert'), '-i', 'input_ids=[[1, 2]]', '-i', 'attention_mask=[[1, 1, 1]]')).err).toBe(
    'nabla: the inputs do not fit the network: length is 2 in input_ids and 3 in attention_mask.\n',
  );
});

test('a model of language: what it puts in the place of a mask', async () => {
  const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'good', 'bad', 'film', 'a'];
  const sizes = { vocabSize: 9, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 16 };
  const bert = new BertMaskedLM({ ...sizes, maxPositionEmbeddings: 16 });
  const ids = tensor([[2, 8, 4, 7, 3]], { dtype: 'int32' });
  const logits: Tensor = noGrad(() => bert.eval().forward(ids));
  const [best] = await numbersOf(logits.slice(1, 2, 3).reshape([9]).argmax(0).to('float32'));
  mkdirSync(at('masked'));
  await saveSafetensors(at('masked/model.safetensors'), bert.stateDict());
  const config = {
    architectures: ['BertForMaskedLM'],
    model_type: 'bert',
    vocab_size: 9,
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 16,
    max_position_embeddings: 16,
  };
  writeFileSync(at('masked/config.json'), JSON.stringify(config));
  writeFileSync(at('masked/tokenizer.json'), JSON.stringify(wordPieceTokenizer(words, 5, true)));
  const { out, err } = await runIt(at('masked'), '-i', 'a [MASK] film', '--top', '2');
  expect([err, out]).toEqual(['', expect.stringMatching(/^("\S+" +\d+\.\d %\n){2}$/)]);
  expect(out).toContain(`"${words[best]}"`);
  expect((await runIt(at('masked'), '-i', 'a film')).out).toMatch(/^logits {2}float32 \[1, 4, 9\]\n/); // there is no mask
});
