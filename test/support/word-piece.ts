// tokenizer.json of a WordPiece tokenizer as BERT has, with a few words.

const SPECIAL = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };

/** The first `special` of the words are special tokens: [PAD], [UNK], [CLS], [SEP], perhaps [MASK]. `cleanup` is the decoder's. */
export function wordPieceTokenizer(words: readonly string[], special: number, cleanup: boolean): object {
  const [begin, end] = [words.indexOf('[CLS]'), words.indexOf('[SEP]')];
  const token = (id: string, type: number): object => ({ SpecialToken: { id, type_id: type } });
  const single = [token('[CLS]', 0), { Sequence: { id: 'A', type_id: 0 } }, token('[SEP]', 0)];
  return {
    version: '1.0',
    added_tokens: words.slice(0, special).map((content, id) => ({ id, content, ...SPECIAL })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, { Sequence: { id: 'B', type_id: 1 } }, token('[SEP]', 1)],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [begin], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [end], tokens: ['[SEP]'] },
      },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
    },
  };
}
