"""Reference answers of `transformers.BertModel`, computed in double precision, for the tests of our own BERT.

Needs `pip install torch transformers tokenizers safetensors numpy`.
"""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertModel


def load(folder: Path, **config):
    """The encoder without its pooler, in double precision and without dropout, and the tokenizer without padding."""
    model = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager", **config)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(model.config.max_position_embeddings)
    return model.double().eval(), tokenizer


def encode(model, tokenizer, sentence: str):
    """Token ids of one sentence, and its last hidden states [tokens, hidden], unpadded."""
    ids = tokenizer.encode(sentence).ids
    return ids, model(input_ids=torch.tensor([ids])).last_hidden_state[0]


def write_json(path: Path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
