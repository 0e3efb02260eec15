"""Vocabularies without a tokenizer.json, and what transformers makes of texts by them: test/fixtures/vocabularies.json for
src/text/vocabulary-files.test.ts.

    python tools/parity/vocabularies.py

Needs transformers and tokenizers.
"""

import json
import tempfile
from pathlib import Path

from tokenizers import ByteLevelBPETokenizer
from transformers import AutoTokenizer

FIXTURE = Path(__file__).parents[2] / "test/fixtures/vocabularies.json"

TEXTS = [
    "",
    "The cats are playing.",
    "Café, CAFÉ!  über \t\n naïve",
    "unaffable\u0301 don't 123 4567",
    "中文 and 日本 mixed中",
    "emoji 🤖 ok? [MASK] here",
    "a <mask> b<|endoftext|>c </s>",
    "zzzz qqq x",
]
MASK = {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False, "special": True}
PAIRS = [("The cat", "is playing"), ("a", "don't")]


def word_pieces():
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1) if chr(c) != "q"]
    words = ["the", "The", "cat", "Cat", "play", "un", "are", "is", "and", "don", "cafe", "café", "über", "uber", "mixed"]
    pieces = ["##" + x for x in [*letters, "s", "ing", "aff", "able", "23", "567", "é"]]
    others = [*"0123456789", *".,!?'[]<>/|", *"中文日éÉCAFM", "Ü"]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *words, *pieces, *others, "[Q]"]
    return list(dict.fromkeys(tokens))


def byte_pairs(folder, special):
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(TEXTS * 3 + [a for pair in PAIRS for a in pair] * 3, vocab_size=300, min_frequency=2, special_tokens=special)
    trained.save_model(folder)
    return json.loads((Path(folder) / "vocab.json").read_text()), (Path(folder) / "merges.txt").read_text()


def case(files, config):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**files, "tokenizer_config.json": json.dumps(config)}.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        tokenizer = AutoTokenizer.from_pretrained(folder)
        texts = []
        for text in TEXTS:
            ids = tokenizer(text)["input_ids"]
            texts.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)})
        pairs = []
        for a, b in PAIRS:
            found = tokenizer(a, b, return_token_type_ids=True)
            pairs.append({"a": a, "b": b, "ids": found["input_ids"], "types": found["token_type_ids"]})
        return {"config": config, "texts": texts, "pairs": pairs}


def main():
    words = "\n".join(word_pieces()) + "\n"
    bert = [
        case({"vocab.txt": words}, {"tokenizer_class": "BertTokenizer", **config})
        for config in [
            {},
            {"do_lower_case": False},
            {"do_lower_case": True, "strip_accents": False, "tokenize_chinese_chars": False},
            {"unk_token": "[Q]"},
        ]
    ]
    sets = [{"files": {"vocab.txt": words}, "cases": bert}]
    for name, special, configs in [
        ("GPT2Tokenizer", ["<|endoftext|>"], [{}, {"add_prefix_space": True}]),
        # transformers 4 and the files of RoBERTa itself have lstrip; transformers 5 has it where the configuration says it
        ("RobertaTokenizer", ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], [{"mask_token": MASK}, {"mask_token": MASK, "add_prefix_space": True}]),
    ]:
        with tempfile.TemporaryDirectory() as folder:
            vocabulary, merges = byte_pairs(folder, special)
        files = {"vocab.json": json.dumps(vocabulary), "merges.txt": merges}
        cases = [case(files, {"tokenizer_class": name, **config}) for config in configs]
        sets.append({"files": files, "cases": cases})
    FIXTURE.write_text(json.dumps({"sets": sets}, ensure_ascii=False) + "\n", encoding="utf-8")


main()
