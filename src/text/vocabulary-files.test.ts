// Vocabularies without a tokenizer.json give transformers' ids: test/fixtures/vocabularies.json is made by tools/parity/vocabularies.py.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Tokenizer, loadTokenizer } from 'nabla/text';
import { readFixture } from '../../test/support/pytorch.js';

type Files = Readonly<Record<string, string | Uint8Array>>;

interface Case {
  readonly config: Readonly<Record<string, unknown>>;
  readonly texts: readonly { readonly text: string; readonly ids: readonly number[]; readonly decoded: string }[];
  readonly pairs: readonly {
    readonly a: string;
    readonly b: string;
    readonly ids: readonly number[];
    readonly types: readonly number[];
  }[];
}

const { sets } = readFixture<{ sets: readonly { readonly files: Files; readonly cases: readonly Case[] }[] }>(
  'vocabularies.json',
);

/** The tokenizer of a folder with these files. */
async function ofFiles(files: Files, file = ''): Promise<Tokenizer> {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-vocabulary-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return await loadTokenizer(join(folder, file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const rows = sets.flatMap(({ files, cases }) =>
  cases.map((one) => [`${Object.keys(files).join(' and ')}, ${JSON.stringify(one.config)}`, files, one] as const),
);

test.each(rows)('%s', async (_, files, { config, texts, pairs }) => {
  const tokenizer = await ofFiles({ ...files, 'tokenizer_config.json': JSON.stringify(config) });
  for (const { text, ids, decoded } of texts) {
    expect({ text, ids: tokenizer.encode(text).ids }).toEqual({ text, ids });
    expect({ text, decoded: tokenizer.decode(ids) }).toEqual({ text, decoded });
  }
  for (const { a, b, ids, types } of pairs)
    expect(tokenizer.encode(a, { pair: b })).toMatchObject({ ids, tokenTypeIds: types });
});

test('without tokenizer_config.json, and by the name of a file', async () => {
  for (const { files, cases } of sets) {
    const [name] = Object.keys(files);
    for (const tokenizer of [await ofFiles(files), await ofFiles(files, name)])
      for (const { text, ids } of cases[0].texts) expect(tokenizer.encode(text).ids).toEqual(ids);
  }
});

describe('what is no vocabulary is refused', () => {
  const bert = { 'vocab.txt': '[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\na\r\n##b\r\n' };
  const pairs = { 'vocab.json': '{"a": 0, "b": 1, "ab": 2}', 'merges.txt': '#version: 0.2\na b\n' };
  const config = (entries: object) => ({ 'tokenizer_config.json': JSON.stringify(entries) });

  test('ends of lines of all kinds', async () => {
    const tokenizer = await ofFiles(bert);
    expect(tokenizer.encode('ab a').tokens).toEqual(['[CLS]', 'a', '##b', 'a', '[SEP]']);
    expect(tokenizer.padId).toBe(0);
    expect((await ofFiles(pairs)).encode('ab').ids).toEqual([2]);
  });

  const WRONG: readonly (readonly [files: Files, message: string])[] = [
    [{ 'vocab.txt': 'a\nb\n' }, 'has no [UNK]: it is no vocabulary of BERT'],
    [{ 'vocab.txt': '' }, 'has no [UNK]'],
    [{ 'vocab.txt': Uint8Array.of(0xff, 0xfe, 10) }, 'is no text in UTF-8'],
    [{ ...bert, ...config({ tokenizer_class: 'SplinterTokenizer' }) }, "is of transformers' SplinterTokenizer"],
    [{ ...bert, ...config({ cls_token: '<cls>' }) }, 'has no <cls>'],
    [{ ...pairs, ...config({ tokenizer_class: 'CLIPTokenizer' }) }, "is of transformers' CLIPTokenizer"],
    [{ 'vocab.json': pairs['vocab.json'] }, 'merges.txt cannot be read'],
    [{ ...pairs, 'vocab.json': '{"a": 0.5}' }, "the number of 'a' is 0.5"],
    [{ ...pairs, 'vocab.json': '{"a": "b"}' }, "the number of 'a' is b"],
    [{ ...pairs, 'vocab.json': '{}' }, 'it has no tokens'],
    [{ ...pairs, 'vocab.json': '{"a</w>": 0}' }, "as CLIP's do"],
    [{ ...pairs, 'merges.txt': 'a b\na b c\n' }, 'line 2 of merges.txt beside'],
    [{ ...pairs, 'merges.txt': 'b a\n' }, "makes 'ba', which"],
    [{ ...pairs, ...config({ tokenizer_class: 'RobertaTokenizer' }) }, "has no <s>: it is no vocabulary of RoBERTa's"],
  ];

  test.each(WRONG)('%o', async (files, message) => {
    await expect(ofFiles(files)).rejects.toThrow(message);
  });
});

const published = process.env['NABLA_MODELS'];

test.skipIf(published === undefined)(
  "bert-uncased's vocab.txt alone (skipped where NABLA_MODELS is not set)",
  async () => {
    const folder = `${published}/tokenizers/bert-uncased`;
    const tokenizer = await loadTokenizer(`${folder}/vocab.txt`);
    const { single } = JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as {
      single: { text: string; ids: number[] }[];
    };
    // what the package does otherwise: CJK characters beyond U+FFFF, the Greek sigma at the end of a word, and U+061D
    const wrong = single.filter(({ text, ids }) => tokenizer.encode(text).ids.join() !== ids.join());
    expect(wrong.filter(({ text }) => !/[\u{20000}-\u{2fa1f}]|Σ|\u061d/u.test(text))).toEqual([]);
    expect(single.length).toBeGreaterThan(50);
  },
);
