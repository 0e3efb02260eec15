// fromPretrained: folders in transformers' layout, made here; with NABLA_MODELS those that transformers wrote, and what it computed from them.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, assert, describe, expect, test } from 'vitest';
import { type Tensor, noGrad, ones, setDevice, tensor } from 'nabla';
import { readNpz } from 'nabla/data';
import { saveSafetensors } from 'nabla/io';
import {
  Bert,
  BertClassifier,
  BertMaskedLM,
  Config,
  GPT2,
  Roberta,
  T5,
  T5Encoder,
  ViTClassifier,
  fromPretrained,
} from 'nabla/models';
import { generate } from 'nabla/text';
import { llamaOptionsOf } from './llama-config.js';
import { checkT5Config } from './t5-options.js';

setDevice('cpu');

const folder = mkdtempSync(join(tmpdir(), 'nabla-pretrained-'));
afterAll(() => rmSync(folder, { recursive: true }));

const BERT = {
  architectures: ['BertForMaskedLM'],
  model_type: 'bert',
  vocab_size: 20,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 16,
  max_position_embeddings: 8,
  classifier_dropout: null,
  transformers_version: '5',
};

function configure(config: object): void {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
}

test('config.json says what is built; a body fits another head, and a head that is missing is said', async () => {
  const sizes = { vocabSize: 20, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2 };
  const original = new BertMaskedLM({ ...sizes, intermediateSize: 16, maxPositionEmbeddings: 8 });
  await saveSafetensors(join(folder, 'model.safetensors'), original.stateDict());
  configure(BERT);
  const { model, config, report } = await fromPretrained(folder);
  assert(model instanceof BertMaskedLM);
  expect([config.modelType, model.training, report.missing]).toEqual(['bert', false, []]);
  const ids = tensor([[1, 2, 3]], { dtype: 'int32' });
  const wanted = await noGrad(() => original.eval().forward(ids)).data();
  expect(await noGrad(() => model.forward(ids)).data()).toEqual(wanted);

  const body = await fromPretrained(Bert, folder, { strict: false });
  const features = noGrad(() => original.bert.forward(ids));
  expect(await noGrad(() => body.model.forward(ids)).data()).toEqual(await features.data());
  await expect(fromPretrained(BertClassifier, folder)).rejects.toThrow(
    /have no bert.pooler.dense.weight, .*, which BertClassifier needs. With strict: false they keep/,
  );
  configure({ ...BERT, id2label: { 0: 'a', 1: 'b', 2: 'c' } });
  const classifier = await fromPretrained(BertClassifier, folder, { strict: false, dtype: 'float64' });
  const logits = classifier.model.forward(ids);
  expect([logits.shape, logits.dtype]).toEqual([[1, 3], 'float64']);
});

test('what there is no model of is refused in a sentence', async () => {
  configure({ ...BERT, architectures: ['MambaForCausalLM'], model_type: 'mamba' });
  await expect(fromPretrained(folder)).rejects.toThrow('there is no model for MambaForCausalLM of');
  await expect(fromPretrained(GPT2, folder)).rejects.toThrow("has model_type 'mamba', and GPT2 is for 'gpt2'.");
  configure({ ...BERT, position_embedding_type: 'relative_key' });
  await expect(fromPretrained(folder)).rejects.toThrow(
    /position_embedding_type .*relative_key.*, which nabla's bert does not have/,
  );
  configure({ ...BERT, hidden_act: 'xielu' });
  await expect(fromPretrained(folder)).rejects.toThrow(/hiddenAct is 'xielu'/);
  writeFileSync(join(folder, 'config.json'), '{');
  await expect(fromPretrained(folder)).rejects.toThrow('config.json is not JSON.');
  await expect(fromPretrained(join(folder, 'none'))).rejects.toThrow('config.json cannot be read');
});

test('an address: shards by their index, and what is not there is asked for by other names', async () => {
  const model = new GPT2({ vocabSize: 12, nPositions: 8, nEmbd: 8, nLayer: 1, nHead: 2 });
  const state = model.stateDict();
  const names = Object.keys(state).filter((key) => key !== 'lm_head.weight');
  const parts = [names.slice(0, 5), names.slice(5)];
  const files = new Map<string, Uint8Array>();
  const put = (name: string, value: object): void =>
    void files.set(name, new TextEncoder().encode(JSON.stringify(value)));
  put('config.json', {
    model_type: 'gpt2',
    vocab_size: 12,
    hidden_size: 8,
    max_position_embeddings: 8,
    n_layer: 1,
    n_head: 2,
  });
  for (const [i, keys] of parts.entries()) {
    const path = join(folder, 'part.safetensors');
    // without the body's name in front, as GPT2Model is saved
    await saveSafetensors(path, Object.fromEntries(keys.map((key) => [key.replace('transformer.', ''), state[key]])));
    files.set(`model-${i}.safetensors`, readFileSync(path));
  }
  const map = parts.flatMap((keys, i) =>
    keys.map((key) => [key.replace('transformer.', ''), `model-${i}.safetensors`]),
  );
  put('model.safetensors.index.json', { weight_map: Object.fromEntries(map) as Record<string, string> });
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const name = request.url!.slice('/gpt/'.length);
    asked.push(name);
    const bytes = files.get(name);
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}/gpt`;
  const { model: loaded, report } = await fromPretrained(address, { cache: false });
  assert(loaded instanceof GPT2);
  expect(report.missing).toEqual([]);
  expect(asked.slice(0, 3)).toEqual(['config.json', 'model.safetensors', 'model.safetensors.index.json']);
  const ids = tensor([[1, 2, 3]], { dtype: 'int32' });
  const wanted = await noGrad(() => model.eval().forward(ids)).data();
  expect(await noGrad(() => loaded.forward(ids)).data()).toEqual(wanted);
  await expect(fromPretrained(`${address}/none`, { cache: false })).rejects.toThrow(/none\/config.json answers 404/);
  files.delete('model.safetensors.index.json');
  await expect(fromPretrained(address, { cache: false })).rejects.toThrow(
    /has no weights: neither model.safetensors, .* nor pytorch_model.bin.index.json is there/,
  );
  await expect(fromPretrained(address, { cache: false, tokenizer: true, weights: 'x.bin' })).rejects.toThrow(
    'answers 404',
  );
  server.close();
});

test("ViT's older keys, a T5 without an output of its own, a body without a pooler", async () => {
  const vit = new ViTClassifier({
    hiddenSize: 8,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    intermediateSize: 16,
    imageSize: 8,
    patchSize: 4,
  });
  const older: readonly (readonly [RegExp, string])[] = [
    [/layers\.(\d+)\.attention\.(q|k|v)_proj/, 'encoder.layer.$1.attention.attention.$2'],
    [/attention\.q\./, 'attention.query.'],
    [/attention\.k\./, 'attention.key.'],
    [/attention\.v\./, 'attention.value.'],
    [/layers\.(\d+)\.attention\.o_proj/, 'encoder.layer.$1.attention.output.dense'],
    [/layers\.(\d+)\.mlp\.fc1/, 'encoder.layer.$1.intermediate.dense'],
    [/layers\.(\d+)\.mlp\.fc2/, 'encoder.layer.$1.output.dense'],
    [/vit\.layers\./, 'vit.encoder.layer.'],
  ];
  const before = (key: string): string => older.reduce((name, [now, old]) => name.replace(now, old), key);
  const state = Object.entries(vit.stateDict()).map(([key, value]) => [before(key), value] as const);
  expect(state.map(([key]) => key)).toContain('vit.encoder.layer.0.attention.attention.query.weight');
  await saveSafetensors(join(folder, 'vit.safetensors'), Object.fromEntries(state));
  const sizes = { hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 16 };
  configure({
    model_type: 'vit',
    architectures: ['ViTForImageClassification'],
    ...sizes,
    image_size: 8,
    patch_size: 4,
  });
  const found = await fromPretrained(ViTClassifier, folder, { weights: 'vit.safetensors' });
  const x = ones([1, 3, 8, 8]);
  expect(await noGrad(() => found.model.forward(x)).data()).toEqual(await noGrad(() => vit.eval().forward(x)).data());

  const t5 = new T5({
    vocabSize: 12,
    dModel: 8,
    dKv: 4,
    dFf: 16,
    numLayers: 1,
    numHeads: 2,
    scaleDecoderOutputs: false,
  });
  const own = Object.entries(t5.stateDict()).filter(([key]) => !/lm_head|embed_tokens/.test(key));
  await saveSafetensors(join(folder, 't5.safetensors'), Object.fromEntries(own));
  const t5Config = { model_type: 't5', vocab_size: 12, d_model: 8, d_kv: 4, d_ff: 16, num_layers: 1, num_heads: 2 };
  configure({ ...t5Config, tie_word_embeddings: false });
  const { model: answers } = await fromPretrained(T5, folder, { weights: 't5.safetensors' });
  const [ids, begin] = [tensor([[1, 2, 3]], { dtype: 'int32' }), tensor([[0]], { dtype: 'int32' })];
  const wanted = await noGrad(() => t5.eval().forward(ids, begin)).data();
  expect(await noGrad(() => answers.forward(ids, begin)).data()).toEqual(wanted);
  const { report } = await fromPretrained(T5Encoder, folder, { weights: 't5.safetensors' });
  expect([report.missing, report.unexpected.every((key) => key.startsWith('decoder.'))]).toEqual([[], true]);

  const body = new Roberta({
    vocabSize: 12,
    hiddenSize: 8,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    intermediateSize: 16,
    maxPositionEmbeddings: 8,
    pooler: false,
  });
  await saveSafetensors(join(folder, 'body.safetensors'), body.stateDict());
  configure({ model_type: 'roberta', vocab_size: 12, ...sizes, max_position_embeddings: 8 });
  const { model: plain } = await fromPretrained(folder, { weights: 'body.safetensors' });
  assert(plain instanceof Roberta);
  expect(plain.pooler).toBe(undefined);
});

test.each([
  ['gpt2', { add_cross_attention: true }, 'add_cross_attention true'],
  ['gpt2', { quantization_config: { bits: 4 } }, 'quantization_config'],
  ['gpt2', { activation_function: 'xielu' }, "activationFunction is 'xielu'"],
  ['bert', { pruned_heads: { 0: [1] } }, 'pruned_heads'],
  ['bert', { is_decoder: true }, 'is_decoder true'],
  ['llama', { rope_scaling: { rope_type: 'spiral' } }, "rotary positions of type 'spiral'"],
  [
    'phi3',
    { rope_scaling: { type: 'su', long_factor: [1], short_factor: 'none' } },
    "short_factor is 'none', and no list",
  ],
  ['gemma2', { hidden_activation: 'relu' }, "hidden_activation 'relu'"],
  ['llama', { rope_scaling: { type: 'linear' } }, 'rotary positions without factor'],
  ['llama', { partial_rotary_factor: 0.5 }, 'partial_rotary_factor 0.5'],
  ['llama', { pretraining_tp: 2 }, 'pretraining_tp 2'],
  ['gemma', { use_bidirectional_attention: true }, 'use_bidirectional_attention true'],
  ['qwen2', { use_sliding_window: true, layer_types: ['linear_attention'], num_hidden_layers: 1 }, 'linear_attention'],
  ['t5', { feed_forward_proj: 'gated-what' }, "feedForwardProj is 'gated-what'"],
  ['t5', { is_decoder: true }, 'is_decoder true'],
] as const)('%s with %o is refused by name', async (type, entries, text) => {
  configure({ model_type: type, ...entries });
  await expect(fromPretrained(folder)).rejects.toThrow(text);
});

test('config.json of transformers 4: rotary entries apart, null for the default, windows that are off', () => {
  const made = (values: object) => llamaOptionsOf(new Config({ hidden_size: 8, ...values }));
  const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
  expect(
    made({
      model_type: 'llama',
      rope_theta: 500000,
      max_position_embeddings: 64,
      rope_scaling: { ...llama3, original_max_position_embeddings: 8192 },
    }),
  ).toMatchObject({
    ropeTheta: 500000,
    ropeScaling: { ropeType: 'llama3', factor: 8, lowFreqFactor: 1, originalMaxPositionEmbeddings: 8192 },
  });
  expect(made({ model_type: 'llama', rope_scaling: { type: 'dynamic', factor: 2 } }).ropeScaling).toEqual({
    ropeType: 'dynamic',
    factor: 2,
  });
  expect(made({ model_type: 'mistral', sliding_window: null }).slidingWindow).toBe(undefined);
  expect(made({ model_type: 'mistral', num_key_value_heads: null }).numKeyValueHeads).toBe(undefined);
  expect(made({ model_type: 'mistral' })).toMatchObject({ slidingWindow: 4096, numKeyValueHeads: 8 });
  const qwen = made({ model_type: 'qwen2', use_sliding_window: false, sliding_window: 32768, rope_theta: 1e6 });
  expect(qwen).toMatchObject({ attentionBias: true, attentionOutputBias: false, ropeTheta: 1e6 });
  expect([qwen.slidingWindow, qwen.layerTypes]).toEqual([undefined, undefined]);
  expect(made({ model_type: 'gemma', hidden_act: 'gelu', hidden_activation: null })).toMatchObject({
    gemma: true,
    headDim: 256,
    tieWordEmbeddings: true,
    hiddenAct: 'gelu_pytorch_tanh',
  });
  expect(T5_OF({ model_type: 't5', feed_forward_proj: 'gated-gelu', tie_word_embeddings: false })).toEqual({
    feedForwardProj: 'gated-gelu',
    tieWordEmbeddings: false,
  });
  const derived = { feed_forward_proj: 'gated-silu', dense_act_fn: 'silu', is_gated_act: true };
  expect(T5_OF({ model_type: 'mt5', tie_word_embeddings: true, d_model: 16, ...derived })).toMatchObject({
    dModel: 16,
    vocabSize: 250112,
    feedForwardProj: 'gated-silu',
    scaleDecoderOutputs: false,
  });
});

const T5_OF = (values: Readonly<Record<string, unknown>>) => checkT5Config(new Config(values));

const published = process.env['NABLA_MODELS'];

describe.skipIf(published === undefined)('published folders (skipped where NABLA_MODELS is not set)', () => {
  async function expected(
    of: string,
    name: string,
  ): Promise<{ readonly data: Float32Array; readonly shape: readonly number[] }> {
    const { data, shape } = (await readNpz(`${published}/${of}/expected.npz`))[name];
    return { data: Float32Array.from(data as ArrayLike<number | bigint>, Number), shape };
  }

  async function idsOf(of: string, name: string): Promise<Tensor<readonly number[], 'int32'>> {
    const { data, shape } = await expected(of, name);
    return tensor(Int32Array.from(data), { shape: shape.length === 2 ? shape : [1, ...shape] });
  }

  async function difference(found: Tensor, of: string): Promise<number> {
    const { data } = await expected(of, 'out_logits');
    const numbers = await found.data();
    expect(numbers).toHaveLength(data.length);
    const most = data.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
    return data.reduce((a, x, i) => Math.max(a, Math.abs(x - numbers[i])), 0) / most;
  }

  // half precision rounds weights to 11 bits, bfloat16 to 8: 8.6e-4 and 7.1e-3 of the largest logit here
  test.each([
    ['bert', {}, 1e-5],
    ['bert', { weights: 'pytorch_model.bin' }, 1e-5],
    ['bert/sharded', {}, 1e-5],
    ['bert/fp16', {}, 1.5e-3],
    ['bert/bf16', {}, 1e-2],
  ] as const)('hf-tiny/%s %o', async (name, options, tolerance) => {
    const of = 'formats/hf-tiny/bert';
    const { model } = await fromPretrained(BertMaskedLM, `${published}/formats/hf-tiny/${name}`, options);
    const attentionMask = await idsOf(of, 'in_attention_mask');
    const ids = await idsOf(of, 'in_input_ids');
    expect(
      await difference(
        noGrad(() => model.forward(ids, { attentionMask })),
        of,
      ),
    ).toBeLessThan(tolerance);
  });

  test('hf-tiny/gpt2', async () => {
    const { model } = await fromPretrained(GPT2, `${published}/formats/hf-tiny/gpt2`);
    const ids = await idsOf('formats/hf-tiny/gpt2', 'in_input_ids');
    expect(
      await difference(
        noGrad(() => model.forward(ids)),
        'formats/hf-tiny/gpt2',
      ),
    ).toBeLessThan(1e-5);
  });

  test('chargpt: logits, and the text that it writes', async () => {
    const of = 'weights/chargpt';
    const { model } = await fromPretrained(GPT2, `${published}/${of}`);
    const ids = await idsOf(of, 'in_ids');
    expect(
      await difference(
        noGrad(() => model.forward(ids)),
        of,
      ),
    ).toBeLessThan(1e-5);
    const { chars, prompt, greedy } = JSON.parse(readFileSync(`${published}/${of}/expected.json`, 'utf8')) as Record<
      string,
      string
    >;
    let text = prompt;
    const start = Array.from(prompt, (c) => chars.indexOf(c));
    for await (const id of generate(model, start, { maxNewTokens: greedy.length - prompt.length })) text += chars[id];
    expect(text).toBe(greedy);
  });
});
