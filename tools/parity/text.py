"""Models of text with weights made by a rule: what transformers computes from them → test/fixtures/text.json.

    pip install torch transformers
    python tools/parity/text.py

The rule is that of zoo.py, but that a tensor which the state dict has twice (tied weights) is filled once, as its first key says. Ids are
floor(u01(3, n) * vocabulary), labels floor(u01(2, n) * classes). Digests are of float64 results; "noise" is how far PyTorch's own
float32 is from them, relative to the largest magnitude. "train": one step of SGD (0.01, momentum 0.9) without dropout.
"""
import json
import math
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


MODELS = {
    "bert": bert,
    "bert-small": bert_small,
    "gpt2-small": gpt2_small,
    "llama": llama,
    "llama-tied": lambda: llama(tie_word_embeddings=True, attention_bias=True, mlp_bias=True, head_dim=12),
    "llama3": lambda: llama(rope_parameters=dict(rope_type="llama3", rope_theta=500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)),
    "t5": t5,
    "t5-gated": lambda: t5(feed_forward_proj="gated-gelu", tie_word_embeddings=False),
    "vit": vit,
    "bert-base": bert_base,
    "gpt2": gpt2,
}


def main():
    rows = {name: make() for name, make in MODELS.items()}
    note = f"made by tools/parity/text.py with torch {torch.__version__.split('+')[0]}, transformers {T.__version__}"
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(r, separators=(',', ':'))}" for name, r in rows.items())
    PATH.write_text(f'{{"note":"{note}",\n"models":{{\n{lines}\n}}}}\n')


main()
