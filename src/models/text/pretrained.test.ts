// fromPretrained: folders in transformers' layout, made here; with NABLA_MODELS those that transformers wrote, and what it computed from them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, assert, describe, expect, test } from 'vitest';
import { type Tensor, noGrad, setDevice, tensor } from 'nabla';
import { readNpz } from 'nabla/data';
import { saveSafetensors } from 'nabla/io';
import { Bert, BertClassifier, BertMaskedLM, GPT2, fromPretrained } from 'nabla/models';
import { generate } from 'nabla/text';

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
