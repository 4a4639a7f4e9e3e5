"""Writes `minilm.json` and `minilm.safetensors`: reference answers for a real checkpoint.

    python reference_minilm.py FOLDER      (a folder with config.json, tokenizer.json, model.safetensors)

Tensors, each [sentences, hidden]: `cls`, `last` (the token before [SEP]), `mean` (over all tokens).
"""

import hashlib
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from reference_bert import encode, load, write_json

SENTENCES = [
    "what a wonderful film",
    "I thought it was going to be a lot better than it actually was, umm, but it wasn't terrible.",
    "(uhh) Señor Spielberg's 2nd-best movie?!",
]


def main():
    folder, here = Path(sys.argv[1]), Path(__file__).parent
    model, tokenizer = load(folder)
    with torch.no_grad():
        ids, hidden = zip(*(encode(model, tokenizer, sentence) for sentence in SENTENCES))
    tensors = {
        "cls": torch.stack([h[0] for h in hidden]),
        "last": torch.stack([h[-2] for h in hidden]),
        "mean": torch.stack([h.mean(0) for h in hidden]),
    }
    save_file({k: v.float().contiguous() for k, v in tensors.items()}, here / "minilm.safetensors")
    weights = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    write_json(here / "minilm.json", {"weights_sha256": weights, "sentences": SENTENCES, "ids": ids})


if __name__ == "__main__":
    main()
