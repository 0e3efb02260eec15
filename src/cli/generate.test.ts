// `nabla generate`: a folder in transformers' layout, and what is refused. A run's folder is that of `nabla predict` (main.test.ts).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setDevice } from '../index.js';
import { saveSafetensors } from '../io/index.js';
import { Bert, GPT2 } from '../models/index.js';
import { commandLine } from '../../test/support/command-line.js';
import { fill } from '../../test/support/zoo.js';
import { generate } from '../text/index.js';

setDevice('cpu');

let folder: string;
const model = new GPT2({ vocabSize: 12, nPositions: 32, nEmbd: 8, nLayer: 1, nHead: 2 });
const CONFIG = { model_type: 'gpt2', vocab_size: 12, n_positions: 32, n_embd: 8, n_layer: 1, n_head: 2 };
const LETTERS = Array.from({ length: 12 }, (_, i) => String.fromCharCode(97 + i));

const put = (name: string, value: object): void => writeFileSync(join(folder, name), JSON.stringify(value));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-generate-'));
  fill(model, 3);
  await saveSafetensors(join(folder, 'model.safetensors'), model.stateDict());
  put('config.json', { ...CONFIG, eos_token_id: 11 });
  const vocab = Object.fromEntries(LETTERS.map((letter, i) => [letter, i]));
  const common = { version: '1.0', added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null };
  put('tokenizer.json', {
    ...common,
    decoder: { type: 'Fuse' },
    model: { type: 'BPE', unk_token: 'a', vocab, merges: [] },
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nabla = (...args: string[]) => commandLine(['generate', ...args], folder);

test('goes on with the prompt, as generate does; beams, draws, JSON', async () => {
  const ids: number[] = [];
  for await (const id of generate(model.eval(), [1, 2, 3], { maxNewTokens: 6, stop: [11] })) ids.push(id);
  const text = ids.map((id) => LETTERS[id]).join('');
  const args = [folder, '--prompt', 'bcd', '--max-tokens', '6'];
  expect(await nabla(...args, '--greedy')).toEqual({ code: 0, out: `bcd${text}\n`, err: '' });
  expect(JSON.parse((await nabla(...args, '--greedy', '--json')).out)).toEqual({ prompt: 'bcd', text: `bcd${text}` });
  const drawn = await nabla(...args, '--seed', '3', '--top-k', '5', '--repetition-penalty', '1.2');
  expect(drawn.out).toMatch(/^bcd[a-l]{0,6}\n$/);
  expect(await nabla(...args, '--seed', '3', '--top-k', '5', '--repetition-penalty', '1.2')).toEqual(drawn);
  expect((await nabla(...args, '--beams', '3', '--length-penalty', '0.5', '--ngram-once', '2')).out).toMatch(
    /^bcd[a-l]{0,6}\n$/,
  );
});

test('what does not go is one sentence', async () => {
  const at = (...args: string[]) => nabla(folder, '--prompt', 'b', ...args);
  expect((await nabla(folder)).err).toMatch(/required option '--prompt <text>' not specified/);
  expect((await at('--greedy', '--top-k', '3')).err).toMatch(/'--greedy' cannot be used with option '--top-k <n>'/);
  expect((await at('--top-p', '2')).err).toMatch(/Use a number above 0, at most 1/);
  expect((await at('--beams', '2', '--length-penalty', 'much')).err).toMatch(/Use a number from -100 to 100/);
  expect((await at('--length-penalty', '2')).err).toBe('nabla: --length-penalty goes with --beams.\n');
  expect((await nabla(join(folder, 'none'), '--prompt', 'b')).err).toBe(
    'nabla: cannot read …/none: there is no such file or folder.\n',
  );
  expect((await nabla(join(folder, 'model.safetensors'), '--prompt', 'b')).err).toMatch(
    /model.safetensors is no folder/,
  );
  expect((await at('--device', 'gpu9')).code).toBe(2);
  const bert = new Bert({
    vocabSize: 12,
    hiddenSize: 8,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    intermediateSize: 8,
    maxPositionEmbeddings: 8,
  });
  await saveSafetensors(join(folder, 'bert.safetensors'), bert.stateDict());
  const sizes = { vocab_size: 12, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 8 };
  put('config.json', { model_type: 'bert', ...sizes, max_position_embeddings: 8 });
  const refused = await at('--weights', 'bert.safetensors');
  expect(refused).toMatchObject({
    code: 2,
    err: "nabla: … has a Bert, which writes no text. GPT-2, Llama's kinds and T5 do.\n",
  });
  put('config.json', { settings: {} });
  expect((await at('--top-k', '2')).err).toBe(
    "nabla: --top-k is for models in transformers' files. A run takes --temperature and --greedy.\n",
  );
});
