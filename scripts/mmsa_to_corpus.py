#!/usr/bin/env python3
"""Turn a feature pickle of the MMSA toolbox into a corpus folder.

    python3 scripts/mmsa_to_corpus.py aligned_50.pkl my-mosi
    trainer corpus inspect --corpus my-mosi

Needs Python 3.9 or later and numpy. The pickle is a dict of `train`, `valid` and `test`, each a dict of

    id                  [n]  `video$_$clip`
    raw_text            [n]  the transcript
    regression_labels   [n]  sentiment in [-3, 3]
    text, audio, vision [n, time, width] or [n, width]; any may be missing
    text_lengths, audio_lengths, vision_lengths   [n], where they are known
    text_bert           [n, 3, time]  its second row is the mask of the text tokens

Lengths come from `<name>_lengths`; for text else from the mask in `text_bert`; else zero frames at the end of a clip are
padding, as the reader of corpus folders has it. `text_bert` itself is dropped: the transcript is there. Values that are not finite
are kept, the reader replaces and counts them.

A pickle can run code when it is opened; this script refuses everything in it but numpy arrays and plain values.
"""

import argparse
import csv
import json
import os
import pickle
import shutil
import struct
import sys
import tempfile

import numpy as np

SPLITS = ("train", "valid", "test")
# Name in the pickle and in the corpus.
MODALITIES = (("text", "text"), ("audio", "audio"), ("vision", "visual"))


class ArraysOnly(pickle.Unpickler):
    """Loads numpy arrays and plain values; a pickle that names anything else is refused."""

    ALLOWED = {"_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer"}

    def find_class(self, module, name):
        if module.split(".")[0] == "numpy" and name in self.ALLOWED:
            return super().find_class(module, name)
        if (module, name) == ("_codecs", "encode"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no array")


class Wrong(Exception):
    """Something in the pickle is not as described above."""


def read(path):
    """The dict of splits."""
    try:
        with open(path, "rb") as file:
            data = ArraysOnly(file).load()
    except (pickle.UnpicklingError, EOFError, ValueError) as error:
        raise Wrong(f"not a readable pickle: {error}") from error
    if not isinstance(data, dict) or not any(split in data for split in SPLITS):
        raise Wrong("expected a dict with train, valid and test")
    return {split: data[split] for split in SPLITS if split in data and len(data[split].get("id", [])) > 0}


def field(data, split, name, n=None):
    """A field of a split, as long as its ids."""
    if name not in data[split]:
        raise Wrong(f"{split}: no field `{name}`; there are: {', '.join(map(str, data[split]))}")
    values = data[split][name]
    if n is not None and len(values) != n:
        raise Wrong(f"{split}: field `{name}` has {len(values)} rows, `id` has {n}")
    return values


def text_of(value):
    """A string, whether it was kept as one, as bytes, or in an array."""
    value = value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def clips_of(data):
    """Rows of clips.csv."""
    rows = []
    for split in data:
        ids = field(data, split, "id")
        texts = field(data, split, "raw_text", len(ids))
        labels = field(data, split, "regression_labels", len(ids))
        for raw_id, text, label in zip(ids, texts, labels):
            raw_id = text_of(raw_id)
            video, mark, clip = raw_id.partition("$_$")
            if not mark:
                raise Wrong(f"{split}: expected ids like video$_$clip, got {raw_id!r}")
            rows.append([f"{video}_{clip}", video, split, repr(float(np.ravel(label)[0])), text_of(text)])
    return rows


def lengths_of(part, name, time):
    """Frames per clip if the pickle knows them, else None."""
    if f"{name}_lengths" in part:
        return np.asarray(part[f"{name}_lengths"], dtype=np.int64).reshape(-1)
    if name == "text" and "text_bert" in part:
        mask = np.asarray(part["text_bert"])
        if mask.ndim == 3 and mask.shape[1] == 3 and mask.shape[2] == time:
            return mask[:, 1, :].sum(axis=1).astype(np.int64)
    return None


def features_of(data):
    """Tensors of features.safetensors by name."""
    tensors = {}
    for source, target in MODALITIES:
        parts = {split: np.asarray(data[split][source], dtype="<f4") for split in data if source in data[split]}
        if not parts:
            continue
        if len(parts) < len(data):
            raise Wrong(f"`{source}` is in {', '.join(parts)} only")
        arrays = {split: part[:, None, :] if part.ndim == 2 else part for split, part in parts.items()}
        widths = {array.shape[-1] for array in arrays.values()}
        if len(widths) > 1 or any(array.ndim != 3 for array in arrays.values()):
            raise Wrong(f"`{source}` has shapes {', '.join(str(part.shape) for part in parts.values())}")
        time = max(array.shape[1] for array in arrays.values())
        padded, lengths = [], []
        for split, array in arrays.items():
            n = len(data[split]["id"])
            if len(array) != n:
                raise Wrong(f"{split}: field `{source}` has {len(array)} rows, `id` has {n}")
            padded.append(np.pad(array, ((0, 0), (0, time - array.shape[1]), (0, 0))))
            known = lengths_of(data[split], source, array.shape[1])
            if known is not None and len(known) != n:
                raise Wrong(f"{split}: `{source}` has {len(known)} lengths, `id` has {n} rows")
            lengths.append(known)
        whole = np.concatenate(padded)
        if time == 1:
            tensors[target] = whole[:, 0, :]
            continue
        tensors[target] = whole
        if all(known is not None for known in lengths):
            # A length beyond the frames counts what was cut off.
            limits = np.concatenate([np.full(len(array), array.shape[1]) for array in arrays.values()])
            tensors[f"{target}_lengths"] = np.minimum(np.concatenate(lengths), limits).astype("<i8")
    return tensors


def write_safetensors(path, tensors):
    """Eight bytes of header length, a JSON header, then the tensors one after the other."""
    header, offset = {}, 0
    for name, array in tensors.items():
        dtype = {"<f4": "F32", "<i8": "I64"}[array.dtype.str]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(encoded)))
        file.write(encoded)
        for array in tensors.values():
            file.write(np.ascontiguousarray(array).tobytes())


def convert(source, folder):
    """Writes the corpus folder, all of it or nothing."""
    if os.path.exists(folder):
        raise Wrong(f"{folder} is there already")
    data = read(source)
    clips, tensors = clips_of(data), features_of(data)
    if not clips:
        raise Wrong("it holds no clips")
    parent = os.path.dirname(os.path.abspath(folder))
    os.makedirs(parent, exist_ok=True)
    inside = tempfile.mkdtemp(prefix=".corpus-", dir=parent)
    try:
        with open(os.path.join(inside, "clips.csv"), "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["id", "video_id", "split", "label", "text"])
            writer.writerows(clips)
        if tensors:
            write_safetensors(os.path.join(inside, "features.safetensors"), tensors)
        os.chmod(inside, 0o755)
        os.rename(inside, folder)
    except BaseException:
        shutil.rmtree(inside, ignore_errors=True)
        raise
    shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in tensors.items())
    print(f"wrote {folder}: {len(clips)} clips, {shapes or 'transcripts alone'}")


def main():
    parser = argparse.ArgumentParser(description="Turn an MMSA feature pickle into a corpus folder.")
    parser.add_argument("pickle", help="aligned_50.pkl or unaligned_50.pkl")
    parser.add_argument("folder", help="corpus folder to write")
    arguments = parser.parse_args()
    try:
        convert(arguments.pickle, arguments.folder)
    except (Wrong, OSError) as error:
        sys.exit(f"{arguments.pickle}: {error}")


if __name__ == "__main__":
    main()
