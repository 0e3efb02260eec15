"""What huggingface/tokenizers' trainer of byte-level BPE makes of texts → test/fixtures/trained-tokenizer.json.

    pip install tokenizers
    python tools/parity/trained_tokenizer.py
"""
import json
import pathlib
import random
import sys

sys.path.pop(0)  # this file has the package's name
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402

PATH = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "trained-tokenizer.json"

NOUNS = "Hund Katze Straße Mädchen house street woman children Fahrrad football player's water 自転車 naïve café".split()
VERBS = "läuft springt sitzt is running are sitting jumps isn't they're schläft rennt".split()
REST = "ein eine der die a the two zwei 3 17 2016 in front of auf über , . ! ?! … 🙂 🙂🙂 aaa aaaa abab ababab".split()


def texts(count):
    draw = random.Random(7)
    lines = []
    for _ in range(count):
        words = [draw.choice(draw.choice([NOUNS, VERBS, REST])) for _ in range(draw.randint(2, 9))]
        lines.append(draw.choice([" ", "  ", " "]).join(words) + draw.choice(["", ".", "\n", "\t!"]))
    return lines + ["", " begins with a blank", "\tand with a tab", "line\r\nline"]


def train(lines, size, least):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=least,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


lines = texts(150)
cases = []
for size, least in [(300, 2), (420, 1), (2000, 2), (2000, 1)]:
    tokenizer = train(lines, size, least)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    unseen = ["Ein Hund läuft über die Straße.", "abababab aaaaa", "新しい 🙂 <s>", "don't  stop"]
    cases.append(
        {
            "vocabularySize": size,
            "minFrequency": least,
            "tokens": [token for token, _ in vocabulary],
            "merges": [merge if isinstance(merge, str) else " ".join(merge) for merge in merges],
            "encoded": [{"text": text, "ids": tokenizer.encode(text).ids} for text in unseen],
        }
    )
PATH.write_text(json.dumps({"texts": lines, "cases": cases}, ensure_ascii=False) + "\n")
