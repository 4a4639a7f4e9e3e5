"""Makes `tiny-bert/`: a BERT of random weights, small enough to commit, and reference answers for it.

`reference.json`: sentences, their token ids, the loss, and the L2 norm of its gradient by every parameter.
`reference.safetensors`: `hidden.{i}` [tokens, hidden] of sentence i; `hidden_tanh.{i}`, the same with `hidden_act: gelu_new`;
`projection` [positions, hidden]; `grad.{name}` for some parameters. The loss is the sum over sentences and positions t of
<hidden[t], projection[t]>.
"""

import string
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel

from reference_bert import encode, load, write_json

FOLDER = Path(__file__).parent / "tiny-bert"
WORDS = "the film was great bad not a very ##ing ##ed ##er ##ly movie i love hate it and plot act".split()
SENTENCES = [
    "The film was great.",
    "Not a very bad movie, and I love it!",
    "Ünloved ACTING",
    "",
    "I hate 漢 ☃ the plot",
    # More tokens than there are positions, so it is truncated.
    "the movie was loved and the plot was hated and it was very very badly acted and not great at all",
]
GRADIENTS = [
    "embeddings.word_embeddings.weight",
    "embeddings.position_embeddings.weight",
    "embeddings.token_type_embeddings.weight",
    "embeddings.LayerNorm.weight",
    "encoder.layer.0.attention.self.query.weight",
    "encoder.layer.0.attention.self.key.weight",
    "encoder.layer.0.attention.self.value.bias",
    "encoder.layer.1.attention.output.dense.bias",
    "encoder.layer.1.attention.output.LayerNorm.weight",
    "encoder.layer.1.intermediate.dense.weight",
    "encoder.layer.1.output.LayerNorm.bias",
]


def make_tokenizer():
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", "!"]
    tokens += list(string.ascii_lowercase) + [f"##{c}" for c in string.ascii_lowercase]
    tokens += [w for w in WORDS if w not in tokens]
    vocab = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.add_special_tokens(tokens[:5])
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])],
    )
    # As many published files have it: padding to a fixed length, which must not reach the encoder.
    tokenizer.enable_padding(length=24)
    return tokenizer, len(tokens)


def make_model(vocab_size: int):
    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=24,
        architectures=["BertModel"],
    )
    torch.manual_seed(20240601)
    model = BertModel(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Larger than a fresh BERT's, so that attention is far from uniform and GELU far from linear.
            scale = 0.1 if "bias" in name else 0.3
            parameter.normal_(0.0, scale)
            if "LayerNorm.weight" in name:
                parameter.add_(1.0)
    return model


def main():
    FOLDER.mkdir(exist_ok=True)
    tokenizer, vocab_size = make_tokenizer()
    tokenizer.save(str(FOLDER / "tokenizer.json"))
    model = make_model(vocab_size)
    model.config.save_pretrained(FOLDER)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, FOLDER / "model.safetensors")

    model, tokenizer = load(FOLDER)
    torch.manual_seed(7)
    projection = torch.randn(model.config.max_position_embeddings, model.config.hidden_size).double()
    tensors, ids, loss = {"projection": projection}, [], 0.0
    for i, sentence in enumerate(SENTENCES):
        tokens, hidden = encode(model, tokenizer, sentence)
        ids.append(tokens)
        tensors[f"hidden.{i}"] = hidden
        loss = loss + (hidden * projection[: len(tokens)]).sum()
    loss.backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    tensors |= {f"grad.{name}": gradients[name] for name in GRADIENTS}

    tanh, _ = load(FOLDER, hidden_act="gelu_new")
    for i, sentence in enumerate(SENTENCES[:2]):
        tensors[f"hidden_tanh.{i}"] = encode(tanh, tokenizer, sentence)[1]

    save_file({k: v.detach().float().contiguous() for k, v in tensors.items()}, FOLDER / "reference.safetensors")
    write_json(
        FOLDER / "reference.json",
        {
            "sentences": SENTENCES,
            "ids": ids,
            "loss": loss.item(),
            "gradient_norms": {name: g.norm().item() for name, g in gradients.items()},
        },
    )


if __name__ == "__main__":
    main()
