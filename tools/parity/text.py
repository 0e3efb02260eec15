"""Models of text with weights made by a rule: what transformers computes from them → test/fixtures/text.json.

    pip install torch transformers
    python tools/parity/text.py            # or only rows: python tools/parity/text.py t5 vit …

The rule is that of zoo.py, but that a tensor which the state dict has twice (tied weights) is filled once, as its first key says. Ids are
floor(u01(3, n) * vocabulary), labels floor(u01(2, n) * classes). Digests are of float64 results; "noise" is how far PyTorch's own
float32 is from them, relative to the largest magnitude. "train": one step of SGD (0.01, momentum 0.9) without dropout.
"""
import json
import math
import sys
import pathlib
import numpy as np
import torch
import transformers as T
from model_numbers import describe, digest, u01

PATH = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "text.json"


def ints(seed, shape, n):
    return torch.from_numpy(np.floor(u01(seed, math.prod(shape)) * n).astype(np.int64).reshape(shape))


def fill(model, gain=1.0):
    seen = set()
    for i, (key, t) in enumerate(model.state_dict().items()):
        if not t.is_floating_point() or t.data_ptr() in seen:
            continue
        seen.add(t.data_ptr())
        v = 2 * u01(1000 + i, t.numel()) - 1
        if t.dim() <= 1:
            v = 1 + 0.25 * v if key.endswith("weight") else 0.1 * v
        else:
            v = gain * math.sqrt(3 / (t.numel() / t.shape[0])) * v
        with torch.no_grad():
            t.copy_(torch.from_numpy(v.astype(np.float32).reshape(t.shape)))
    return model.eval()


def still(model):
    for m in model.modules():
        if isinstance(m, torch.nn.modules.dropout._DropoutNd):
            m.p = 0.0
    return model


def wide_norm(self, x):
    """T5's norm in the model's own precision; transformers computes it in float32, whatever that is."""
    return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


T.models.t5.modeling_t5.T5LayerNorm.forward = wide_norm


def step(build, loss, grads, wide):
    model = still(fill(build()))
    model = (model.double() if wide else model).train()
    for m in model.modules():
        for name in ("dropout", "attention_dropout"):
            if isinstance(getattr(m, name, None), float):
                setattr(m, name, 0.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, 0.9)
    before = loss(model)
    before.backward()
    found = {k: dict(model.named_parameters())[k].grad.clone() for k in grads}
    optimizer.step()
    return before.item(), found, loss(model).item()


def row(build, outputs, loss=None, grads=(), greedy=None):
    model = fill(build())
    out = describe(model)
    out["config"] = {k: v for k, v in model.config.to_diff_dict().items() if k not in ("transformers_version", "dtype", "id2label")} | {"architectures": [type(model).__name__], "id2label": model.config.id2label}
    with torch.no_grad():
        single = outputs(model)
        wide = outputs(model.double())
        model.float()
    out["outputs"] = {k: digest(v, single[k]) for k, v in wide.items()}
    if loss is not None:
        before, found, after = step(build, loss, grads, True)
        narrow = step(build, loss, grads, False)
        out["train"] = dict(loss=before, loss_after=after, grads={k: digest(v, narrow[1][k]) for k, v in found.items()}, noise=abs(narrow[0] / before - 1))
    if greedy is not None:
        out["greedy"] = greedy(model)
    return out


def next_loss(ids):
    """Of the next tokens; transformers' own is in float32, whatever the model's dtype."""
    def loss(m):
        logits = m(input_ids=ids).logits
        return torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))
    return loss


def continued(model, ids, count):
    with torch.no_grad():
        for _ in range(count):
            ids = torch.cat([ids, model(input_ids=ids).logits[:, -1:].argmax(-1)], 1)
    return ids[0].tolist()


def bert():
    build = lambda: T.BertForMaskedLM(T.BertConfig(vocab_size=200, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96, max_position_embeddings=32))
    ids = ints(3, (2, 16), 200)
    mask = torch.ones(2, 16, dtype=torch.int64)
    mask[1, 11:] = 0
    types = torch.zeros(2, 16, dtype=torch.int64)
    types[:, 8:] = 1
    def outputs(m):
        o = m(input_ids=ids, attention_mask=mask, token_type_ids=types, output_hidden_states=True)
        return {"embeddings": o.hidden_states[0], "layer 1": o.hidden_states[1], "logits[0]": o.logits[0], "logits[1, :11]": o.logits[1, :11]}
    return row(build, outputs)


def bert_small():
    build = lambda: T.BertForSequenceClassification(T.BertConfig(vocab_size=1000, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256, max_position_embeddings=64, num_labels=3))
    ids, y = ints(3, (4, 16), 1000), ints(2, (4,), 3)
    mask = torch.ones(4, 16, dtype=torch.int64)
    mask[1, 11:] = 0
    return row(build, lambda m: {"logits": m(input_ids=ids, attention_mask=mask).logits}, lambda m: m(input_ids=ids, attention_mask=mask, labels=y).loss,
               ["bert.embeddings.word_embeddings.weight", "bert.encoder.layer.0.attention.self.query.weight", "bert.pooler.dense.weight", "classifier.bias"])


def gpt2_small():
    build = lambda: T.GPT2LMHeadModel(T.GPT2Config(vocab_size=500, n_positions=64, n_embd=64, n_layer=3, n_head=4, bos_token_id=0, eos_token_id=0))
    ids = ints(3, (2, 24), 500)
    def outputs(m):
        o = m(input_ids=ids, output_hidden_states=True)
        return {"embeddings": o.hidden_states[0], "block 1": o.hidden_states[1], "last": o.hidden_states[-1], "logits": o.logits}
    return row(build, outputs, next_loss(ids),
               ["transformer.wte.weight", "transformer.wpe.weight", "transformer.h.0.attn.c_attn.weight", "transformer.h.2.mlp.c_proj.weight", "transformer.ln_f.bias"],
               lambda m: continued(m, ids[:1, :4], 20))


def llama(**options):
    config = T.LlamaConfig(vocab_size=200, hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2, max_position_embeddings=64, pad_token_id=None, **options)
    build = lambda: T.LlamaForCausalLM(config)
    ids = ints(3, (2, 16), 200)
    def outputs(m):
        o = m(input_ids=ids, output_hidden_states=True)
        return {"layer 1": o.hidden_states[1], "last": o.hidden_states[-1], "logits": o.logits}
    return row(build, outputs, next_loss(ids),
               ["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "model.layers.1.self_attn.k_proj.weight", "model.layers.0.mlp.gate_proj.weight"],
               lambda m: continued(m, ids[:1, :4], 16))


def t5(**options):
    config = T.T5Config(vocab_size=200, d_model=48, d_kv=8, d_ff=96, num_layers=2, num_decoder_layers=3, num_heads=4, relative_attention_num_buckets=8, relative_attention_max_distance=20, decoder_start_token_id=0, **options)
    build = lambda: T.T5ForConditionalGeneration(config)
    ids, out, y = ints(3, (2, 24), 200), ints(4, (2, 10), 200), ints(5, (2, 10), 200)
    mask = torch.ones(2, 24, dtype=torch.int64)
    mask[1, 17:] = 0
    def outputs(m):
        o = m(input_ids=ids, attention_mask=mask, decoder_input_ids=out)
        return {"encoder[0]": o.encoder_last_hidden_state[0], "logits": o.logits}
    def loss(m):
        logits = m(input_ids=ids, attention_mask=mask, decoder_input_ids=out).logits
        return torch.nn.functional.cross_entropy(logits.reshape(-1, 200), y.reshape(-1))
    def greedy(m):
        seq = torch.zeros(1, 1, dtype=torch.int64)
        with torch.no_grad():
            for _ in range(12):
                seq = torch.cat([seq, m(input_ids=ids[:1], decoder_input_ids=seq).logits[:, -1:].argmax(-1)], 1)
        return seq[0].tolist()
    return row(build, outputs, loss, ["shared.weight", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", "decoder.block.2.layer.1.EncDecAttention.q.weight"], greedy)


def vit():
    build = lambda: T.ViTForImageClassification(T.ViTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, image_size=32, patch_size=8, num_labels=10))
    x = torch.from_numpy((2 * u01(1, 2 * 3 * 32 * 32) - 1).astype(np.float32).reshape(2, 3, 32, 32))
    return row(build, lambda m: {"logits": m(pixel_values=x.to(m.dtype)).logits})


def bert_base():
    ids = ints(3, (2, 16), 30522)
    mask = torch.ones(2, 16, dtype=torch.int64)
    mask[1, 11:] = 0
    def outputs(m):
        o = m(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        return {"layer 6[0]": o.hidden_states[6][0], "logits[0, :2]": o.logits[0, :2], "logits[1, :2]": o.logits[1, :2]}
    return row(lambda: T.BertForMaskedLM(T.BertConfig()), outputs)


def gpt2():
    ids = ints(3, (1, 16), 50257)
    def outputs(m):
        o = m(input_ids=ids, output_hidden_states=True)
        return {"block 6": o.hidden_states[6], "last": o.hidden_states[-1], "logits[:, :2]": o.logits[:, :2]}
    return row(lambda: T.GPT2LMHeadModel(T.GPT2Config()), outputs)


SMALL = dict(vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, max_position_embeddings=24)
DISTIL = dict(vocab_size=100, dim=32, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=24)


def encoder(kind, head="Model", pad=0, **options):
    """Two rows of twelve tokens; the second one ends with three of padding, and what stands under those is left out of the digests."""
    config = getattr(T, kind + "Config")(**(DISTIL if kind == "DistilBert" else SMALL), **options)
    build = lambda: getattr(T, kind + head)(config)
    ids = 2 + ints(3, (2, 12), 98)
    ids[1, 9:] = pad
    mask = torch.ones(2, 12, dtype=torch.int64)
    mask[1, 9:] = 0
    inputs = dict(input_ids=ids, attention_mask=mask)
    if kind in ("Bert", "Electra"):
        inputs["token_type_ids"] = (torch.arange(12) >= 6).long().expand(2, 12)
    def outputs(m):
        o = m(**inputs)
        if head == "Model":
            pooled = {"pooled": o.pooler_output} if getattr(o, "pooler_output", None) is not None else {}
            return {"features[0]": o.last_hidden_state[0], "features[1, :9]": o.last_hidden_state[1, :9], **pooled}
        if head == "ForQuestionAnswering":
            return {"start[0]": o.start_logits[0], "end[1, :9]": o.end_logits[1, :9]}
        if head == "ForSequenceClassification":
            return {"logits": o.logits}
        return {"logits[0]": o.logits[0], "logits[1, :9]": o.logits[1, :9]}
    return row(build, outputs)


TINY = dict(vocab_size=100, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=32, pad_token_id=None, bos_token_id=None, eos_token_id=None)


def decoder(kind, length=20, greedy=20, **options):
    config = getattr(T, kind + "Config")(**{**TINY, **options})
    build = lambda: getattr(T, kind + "ForCausalLM")(config)
    ids = ints(3, (2, length), 100)
    return row(build, lambda m: {"logits": m(input_ids=ids).logits}, greedy=lambda m: continued(m, ids[:1, :4], greedy))


def gpt2_variant(**options):
    build = lambda: T.GPT2LMHeadModel(T.GPT2Config(vocab_size=100, n_positions=32, n_embd=32, n_layer=3, n_head=4, bos_token_id=0, eos_token_id=0, **options))
    ids = ints(3, (2, 12), 100)
    return row(build, lambda m: {"logits": m(input_ids=ids).logits})


def t5_encoder():
    build = lambda: T.T5EncoderModel(T.T5Config(vocab_size=200, d_model=48, d_kv=8, d_ff=96, num_layers=2, num_heads=4, relative_attention_num_buckets=8, relative_attention_max_distance=20, feed_forward_proj="gated-silu"))
    ids = ints(3, (2, 24), 200)
    return row(build, lambda m: {"features": m(input_ids=ids).last_hidden_state})


def vit_model():
    build = lambda: T.ViTModel(T.ViTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, image_size=[16, 24], patch_size=8, qkv_bias=False, hidden_act="gelu_fast", pooler_output_size=20, pooler_act="sigmoid"))
    x = torch.from_numpy((2 * u01(1, 2 * 3 * 16 * 24) - 1).astype(np.float32).reshape(2, 3, 16, 24))
    def outputs(m):
        o = m(pixel_values=x.to(m.dtype))
        return {"features": o.last_hidden_state, "pooled": o.pooler_output}
    return row(build, outputs)


SEARCHES = [
    dict(num_beams=3, max_new_tokens=12),
    dict(num_beams=4, max_new_tokens=10, length_penalty=2.0, no_repeat_ngram_size=2),
    dict(num_beams=3, max_new_tokens=12, early_stopping=True, length_penalty=-1.0),
    dict(num_beams=2, max_new_tokens=12, early_stopping="never", length_penalty=0.5, repetition_penalty=1.3),
    dict(num_beams=1, max_new_tokens=12, no_repeat_ngram_size=2),
    dict(num_beams=1, max_new_tokens=12),
]


def searched(model, inputs, eos, skip):
    """What transformers' generate gives behind the prompts: for each of SEARCHES, a list for each text, up to the end's id."""
    found = []
    for options in SEARCHES:
        with torch.no_grad():
            ids = model.generate(**inputs, do_sample=False, eos_token_id=eos, pad_token_id=0, **options)[:, skip:].tolist()
        found.append([seq[: seq.index(eos) + 1] if eos in seq else seq for seq in ids])
    return found


def gpt2_search(eos):
    model = fill(T.GPT2LMHeadModel(T.GPT2Config(vocab_size=60, n_positions=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=eos)), 2.0)
    return search_row(model, eos)


def llama_search(eos):
    model = fill(T.MistralForCausalLM(T.MistralConfig(**{**TINY, "vocab_size": 60, "max_position_embeddings": 64, "sliding_window": 6})), 2.0)
    return search_row(model, eos)


def search_row(model, eos):
    prompts = [ints(11, (1, 5), 59)[0] + 1, ints(12, (1, 9), 59)[0] + 1, ints(13, (1, 2), 59)[0] + 1]
    ids = torch.zeros(3, 9, dtype=torch.int64)
    mask = torch.zeros(3, 9, dtype=torch.int64)
    for i, prompt in enumerate(prompts):
        ids[i, 9 - len(prompt):] = prompt
        mask[i, 9 - len(prompt):] = 1
    model.generation_config = T.GenerationConfig()
    alone = [searched(model, dict(input_ids=p[None], attention_mask=torch.ones(1, len(p), dtype=torch.int64)), eos, len(p)) for p in prompts]
    check_batch(searched(model, dict(input_ids=ids, attention_mask=mask), eos, 9), alone)
    return dict(eos=eos, prompts=[p.tolist() for p in prompts], alone=alone)


def check_batch(batch, alone):
    """A batch gives what its texts give alone, but for penalties, which in transformers count padding as a token."""
    for i, options in enumerate(SEARCHES):
        if "repetition_penalty" not in options and "no_repeat_ngram_size" not in options:
            assert batch[i] == [texts[i][0] for texts in alone], (options, batch[i], [texts[i][0] for texts in alone])


def t5_search(eos):
    model = fill(T.T5ForConditionalGeneration(T.T5Config(vocab_size=60, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, decoder_start_token_id=0)), 3.0)
    prompts = [ints(11, (1, 5), 58)[0] + 2, ints(12, (1, 9), 58)[0] + 2, ints(13, (1, 2), 58)[0] + 2]
    ids = torch.zeros(3, 9, dtype=torch.int64)
    for i, prompt in enumerate(prompts):
        ids[i, :len(prompt)] = prompt
    model.generation_config = T.GenerationConfig(decoder_start_token_id=0)
    inputs = dict(input_ids=ids, attention_mask=(ids > 0).long())
    alone = [searched(model, dict(input_ids=p[None]), eos, 1) for p in prompts]
    check_batch(searched(model, inputs, eos, 1), alone)
    return dict(eos=eos, prompts=[p.tolist() for p in prompts], alone=alone)


def buckets():
    """The classes of distances −300 … 300, run by run: [class, how many]."""
    bucket = T.models.t5.modeling_t5.T5Attention._relative_position_bucket
    out = []
    for bidirectional, count, most in ((True, 32, 128), (False, 32, 128), (True, 8, 20), (False, 8, 20), (True, 64, 250), (False, 12, 100)):
        runs = []
        for b in bucket(torch.arange(-300, 301), bidirectional, count, most).tolist():
            if runs and runs[-1][0] == b:
                runs[-1][1] += 1
            else:
                runs.append([b, 1])
        out.append(dict(bidirectional=bidirectional, count=count, most=most, runs=runs))
    return dict(cases=out)


LONGROPE = dict(rope_type="longrope", rope_theta=100.0, short_factor=[1.0, 1.1, 1.2, 1.5], long_factor=[1.5, 2.0, 3.0, 4.0])


MODELS = {
    "bert": bert,
    "bert-small": bert_small,
    "gpt2-small": gpt2_small,
    "llama": llama,
    "llama-tied": lambda: llama(tie_word_embeddings=True, attention_bias=True, mlp_bias=True, head_dim=12),
    "llama3": lambda: llama(rope_parameters=dict(rope_type="llama3", rope_theta=500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)),
    "t5": t5,
    "t5-gated": lambda: t5(feed_forward_proj="gated-gelu", tie_word_embeddings=False),
    "t5-encoder": t5_encoder,
    "vit": vit,
    "vit-model": vit_model,
    **{f"{kind.lower()}{head}": (lambda kind=kind, head=head, pad=pad: encoder(kind, head, pad, **({"num_labels": 3} if "Class" in head else {})))
       for kind, pad in (("Bert", 0), ("Roberta", 1), ("Electra", 0), ("DistilBert", 0))
       for head in ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")},
    "electraForPreTraining": lambda: encoder("Electra", "ForPreTraining", hidden_act="silu"),
    "electra-wide": lambda: encoder("Electra", "ForMaskedLM", embedding_size=32),
    "linear": lambda: decoder("Llama", rope_parameters=dict(rope_type="linear", rope_theta=100.0, factor=2.0)),
    "dynamic": lambda: decoder("Llama", length=40, greedy=0, rope_parameters=dict(rope_type="dynamic", rope_theta=100.0, factor=4.0)),
    "yarn": lambda: decoder("Llama", rope_parameters=dict(rope_type="yarn", rope_theta=100.0, factor=4.0, original_max_position_embeddings=8, beta_fast=2.0, beta_slow=0.5)),
    "yarn-scaled": lambda: decoder("Llama", rope_parameters=dict(rope_type="yarn", rope_theta=1000.0, factor=4.0, original_max_position_embeddings=8, mscale=1.5, mscale_all_dim=0.5, truncate=False)),
    "mistral": lambda: decoder("Mistral", sliding_window=5, head_dim=12),
    "qwen2": lambda: decoder("Qwen2", use_sliding_window=True, sliding_window=5, max_window_layers=1, tie_word_embeddings=True),
    "qwen3": lambda: decoder("Qwen3", head_dim=16, attention_bias=True),
    "gemma": lambda: decoder("Gemma", head_dim=16, num_key_value_heads=1),
    "gemma2": lambda: decoder("Gemma2", head_dim=16, sliding_window=5, query_pre_attn_scalar=20, attn_logit_softcapping=1.5, final_logit_softcapping=2.5),
    "gemma2-uncapped": lambda: decoder("Gemma2", head_dim=16, attention_bias=True, attn_logit_softcapping=None, final_logit_softcapping=None, tie_word_embeddings=False, sliding_window=4, layer_types=["full_attention", "sliding_attention", "sliding_attention"]),
    "phi3": lambda: decoder("Phi3", sliding_window=6, rope_parameters=dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=0.5)),
    "phi3-longrope": lambda: decoder("Phi3", original_max_position_embeddings=8, rope_parameters=LONGROPE),
    "phi3-short": lambda: decoder("Phi3", length=8, greedy=0, original_max_position_embeddings=8, rope_parameters=dict(**LONGROPE, attention_factor=1.25)),
    "gpt2-scaled": lambda: gpt2_variant(scale_attn_by_inverse_layer_idx=True, activation_function="quick_gelu"),
    "gpt2-unscaled": lambda: gpt2_variant(scale_attn_weights=False, n_inner=40, activation_function="relu", tie_word_embeddings=False),
    "bert-base": bert_base,
    "gpt2": gpt2,
}


CORPUS = """A tokenizer cuts texts into pieces. The pieces of a Unigram model have probabilities, and of all ways to cut a text
the most probable one is taken. Pieces that begin a word begin with a bar of their own; the others go on with it. What the model has never
seen becomes an unknown piece. The cat sat on the mat, and the cats sit on the mats. Wörter mit Umlauten, naïve cafés, 1234567890."""


def unigram():
    """A Unigram model of few pieces, built as T5's is, its tokenizer.json, and the ids that the tokenizers library gives."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.decoder = decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    t.train_from_iterator(CORPUS.replace("\n", " ").split(". "), trainers.UnigramTrainer(vocab_size=120, special_tokens=special, unk_token="<unk>"))
    t.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    texts = ["The cat sat on the mat.", "  two  blanks ", "", "unknown 漢字 here", "ﬁne ① café", "</s> within a text", "the most probable piece", "begin, bar; 42", "naïve Wörter", "a"]
    return dict(tokenizer=json.loads(t.to_str()), cases=[dict(text=x, ids=t.encode(x).ids, decoded=t.decode(t.encode(x).ids)) for x in texts])


OTHERS = {"gpt2": lambda: gpt2_search(7), "mistral": lambda: llama_search(7), "t5": lambda: t5_search(1)}


def main():
    names = sys.argv[1:]
    old = json.loads(PATH.read_text()) if names else {"models": {}, "searches": {}}
    made = lambda name: not names or name in names or name.split("-")[0] + "*" in names
    rows = {name: make() if made(name) or name not in old["models"] else old["models"][name] for name, make in MODELS.items()}
    searches = {name: make() if made("searches") or name not in old.get("searches", {}) else old["searches"][name] for name, make in OTHERS.items()}
    note = f"made by tools/parity/text.py with torch {torch.__version__.split('+')[0]}, transformers {T.__version__}"
    write = lambda table: ",\n".join(f"{json.dumps(name)}:{json.dumps(r, separators=(',', ':'))}" for name, r in table.items())
    parts = [f'"note":"{note}"', f'"models":{{\n{write(rows)}\n}}', f'"searches":{{\n{write(searches)}\n}}', f'"buckets":{json.dumps(buckets()["cases"], separators=(",", ":"))}']
    parts.append(f'"unigram":{json.dumps(unigram() if made("unigram") or "unigram" not in old else old["unigram"], separators=(",", ":"))}')
    PATH.write_text("{" + ",\n".join(parts) + "}\n")


main()
