#!/usr/bin/env python3
"""Turn a feature pickle of the MMSA toolbox, or of MAG-BERT and MISA, into a corpus folder.

    python3 scripts/mmsa_to_corpus.py aligned_50.pkl my-mosi
    trainer corpus inspect --corpus my-mosi

Needs Python 3.9 or later and numpy. The pickle is a dict of splits: `train`, `valid` (also called `dev` or `validation`) and
`test`. Any other name of a split is refused. A split of the MMSA toolbox is a dict of

    id                  [n]  `video$_$clip`
    raw_text            [n]  the transcript
    regression_labels   [n]  sentiment in [-3, 3]
    text, audio, vision [n, time, width] or [n, width], or n arrays [time, width]; any may be missing
    text_lengths, audio_lengths, vision_lengths   [n], where they are known
    text_bert           [n, 3, time]  its second row is the mask of the text tokens

A split of MAG-BERT and MISA is a list of ((words, visual, acoustic), label, segment), where the words are strings (MISA: numbers,
and strings in a fourth place), the arrays [time, width], and the segment is `video[clip]` or `video_clip`.

Lengths come from `<name>_lengths`, or from the arrays where each clip has its own; for text else from the mask in `text_bert`;
else zero frames at the end of a clip are padding, as the reader of corpus folders has it. `text_bert` itself is dropped: the
transcript is there. Values that are not finite are kept, the reader replaces and counts them.

A pickle can run code when it is opened; this script refuses everything in it but numpy arrays and plain values. What cannot be
converted ends in one message that names file, split and field, and in exit code 2; nothing is written then.
"""

import argparse
import csv
import json
import os
import pickle
import re
import shutil
import struct
import sys
import tempfile

import numpy as np

# What a split is called in the corpus by its name in the pickle.
SPLITS = {"train": "train", "valid": "valid", "validation": "valid", "dev": "valid", "test": "test"}
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
    """The splits that hold clips, by their names in the corpus."""
    try:
        with open(path, "rb") as file:
            data = ArraysOnly(file).load()
    except OSError:
        raise
    except Exception as error:  # A damaged pickle raises whatever its bytes lead to.
        raise Wrong(f"not a readable pickle: {error or type(error).__name__}") from error
    if isinstance(data, (list, tuple)):
        raise Wrong("it holds a list, which is one split; expected a dict with train, valid and test")
    if not isinstance(data, dict):
        raise Wrong(f"it holds {kind(data)}; expected a dict with train, valid and test")
    unknown = [name for name in data if name not in SPLITS]
    if unknown or not data:
        there = ", ".join(f"`{name}`" for name in unknown) or "none"
        raise Wrong(f"unknown splits: {there}; expected a dict with train, valid (or dev, validation) and test")
    splits, names = {}, {}
    for name, part in data.items():
        split = SPLITS[name]
        if split in names:
            raise Wrong(f"`{names[split]}` and `{name}` are both the split {split}")
        names[split] = name
        part = part_of(name, part)
        if len(part["id"]) > 0:
            splits[split] = part
    # As the corpus has them, whatever the order in the pickle.
    return {split: splits[split] for split in ("train", "valid", "test") if split in splits}


def kind(value):
    """What a value is, for messages."""
    return "nothing" if value is None else f"a {type(value).__name__}"


def part_of(split, part):
    """A split as a dict of fields with rows."""
    if isinstance(part, (list, tuple)):
        part = listed(split, part)
    if not isinstance(part, dict):
        raise Wrong(f"{split}: expected a dict of fields or a list of clips, got {kind(part)}")
    field(part, split, "id")
    return part


def listed(split, clips):
    """The fields of a split that is a list of ((words, visual, acoustic), label, segment)."""
    names = ("id", "raw_text", "regression_labels", "audio", "audio_lengths", "vision", "vision_lengths")
    fields = {name: [] for name in names}
    for row, clip in enumerate(clips):
        shape = f"{split}: clip {row}: expected ((words, visual, acoustic), label, segment)"
        if not isinstance(clip, (list, tuple)) or len(clip) != 3:
            raise Wrong(f"{shape}, got {kind(clip)}")
        content, label, segment = clip
        if not isinstance(content, (list, tuple)) or len(content) not in (3, 4):
            raise Wrong(f"{shape}, its first part is {kind(content)}")
        words = content[3] if len(content) == 4 else content[0]
        if not sized(words) or not all(isinstance(word, (str, bytes)) for word in words):
            raise Wrong(f"{split}: clip {row}: field `words`: expected strings")
        fields["id"].append(segment)
        fields["raw_text"].append(" ".join(map(text_of, words)))
        fields["regression_labels"].append(label)
        for name, values in (("vision", content[1]), ("audio", content[2])):
            fields[name].append(values)
            fields[f"{name}_lengths"].append(len(values) if sized(values) else 0)
    return fields


def sized(values):
    """Whether it has rows."""
    return hasattr(values, "__len__") and getattr(values, "ndim", 1) > 0 and not isinstance(values, (str, bytes, dict))


def field(part, split, name, n=None):
    """A field of a split, as long as its ids."""
    if name not in part:
        raise Wrong(f"{split}: no field `{name}`; there are: {', '.join(map(str, part))}")
    values = part[name]
    if not sized(values):
        raise Wrong(f"{split}: field `{name}`: expected rows, got {kind(values)}")
    if n is not None and len(values) != n:
        raise Wrong(f"{split}: field `{name}` has {len(values)} rows, `id` has {n}")
    return values


def text_of(value):
    """A string, whether it was kept as one, as bytes, or in an array."""
    value = value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def label_of(where, value):
    """The sentiment, which is the first of several values."""
    try:
        label = float(np.ravel(np.asarray(value, dtype=np.float64))[0])
    except IndexError:
        raise Wrong(f"{where}, field `regression_labels`: is empty") from None
    except (TypeError, ValueError):
        raise Wrong(f"{where}, field `regression_labels`: expected a number, got {value!r}") from None
    if not -3 <= label <= 3:
        raise Wrong(f"{where}, field `regression_labels`: expected a number in [-3, 3], got {label}")
    return label


def clips_of(data):
    """Rows of clips.csv."""
    rows, seen = [], {}
    for split, part in data.items():
        ids = field(part, split, "id")
        texts = field(part, split, "raw_text", len(ids))
        labels = field(part, split, "regression_labels", len(ids))
        for row, (raw_id, text, label) in enumerate(zip(ids, texts, labels)):
            raw_id = text_of(raw_id)
            match = re.fullmatch(r"(.+)\$_\$(.+)|(.+)\[(.+)\]|(.+)_([0-9]+)", raw_id, re.DOTALL)
            if not match:
                raise Wrong(f"{split}: expected ids like video$_$clip, got {raw_id!r}")
            video, clip = (group for group in match.groups() if group is not None)
            where = f"{split}: clip {row} ({raw_id!r})"
            name = f"{video}_{clip}"
            if name in seen:
                raise Wrong(f"{where}, field `id`: {seen[name]} has it, too")
            seen[name] = f"{split}: clip {row}"
            rows.append([name, video, split, repr(label_of(where, label)), text_of(text)])
    return rows


def lengths_of(part, split, name, time):
    """Frames per clip if the pickle knows them, else None."""
    if f"{name}_lengths" in part:
        try:
            return np.asarray(part[f"{name}_lengths"], dtype=np.int64).reshape(-1)
        except (TypeError, ValueError, OverflowError):
            raise Wrong(f"{split}: field `{name}_lengths`: expected whole numbers") from None
    if name == "text" and "text_bert" in part:
        try:
            mask = np.asarray(part["text_bert"])
            if mask.ndim == 3 and mask.shape[1] == 3 and mask.shape[2] == time:
                return mask[:, 1, :].sum(axis=1).astype(np.int64)
        except (TypeError, ValueError, OverflowError):
            raise Wrong(f"{split}: field `text_bert`: expected numbers in [n, 3, time]") from None
    return None


def frames_of(part, split, name):
    """The field as [n, time, width], and each clip's frames where each has an array of its own, else None."""
    values = field(part, split, name, len(part["id"]))
    try:
        array = np.asarray(values, dtype="<f4")
    except (TypeError, ValueError):
        array = None  # Clips of different lengths.
    if array is not None:
        if array.ndim not in (2, 3):
            raise Wrong(f"{split}: field `{name}` has shape {array.shape}, expected [n, time, width] or [n, width]")
        return (array[:, None, :] if array.ndim == 2 else array), None
    clips = []
    for row, value in enumerate(values):
        try:
            clip = np.asarray(value, dtype="<f4")
        except (TypeError, ValueError):
            raise Wrong(f"{split}: clip {row}, field `{name}`: expected numbers in [time, width]") from None
        if clip.ndim != 2 and clip.size > 0:
            raise Wrong(f"{split}: clip {row}, field `{name}` has shape {clip.shape}, expected [time, width]")
        clips.append(clip)
    widths = sorted({clip.shape[1] for clip in clips if clip.size > 0})
    if len(widths) != 1:
        raise Wrong(f"{split}: field `{name}` has clips of widths {widths}, expected one width")
    lengths = [len(clip) if clip.size > 0 else 0 for clip in clips]
    array = np.zeros((len(clips), max(lengths), widths[0]), dtype="<f4")
    for row, clip in enumerate(clips):
        if clip.size > 0:
            array[row, : len(clip)] = clip
    return array, np.asarray(lengths, dtype=np.int64)


def features_of(data):
    """Tensors of features.safetensors by name."""
    tensors = {}
    for source, target in MODALITIES:
        parts = {split: frames_of(part, split, source) for split, part in data.items() if source in part}
        if not parts:
            continue
        if len(parts) < len(data):
            raise Wrong(f"`{source}` is in {', '.join(parts)} only")
        if len({array.shape[-1] for array, _ in parts.values()}) > 1:
            shapes = ", ".join(f"{split} {array.shape}" for split, (array, _) in parts.items())
            raise Wrong(f"`{source}` has shapes {shapes}; expected one width")
        if any(0 in array.shape[1:] for array, _ in parts.values()):
            raise Wrong(f"`{source}` is empty; leave the field out")
        time = max(array.shape[1] for array, _ in parts.values())
        padded, lengths = [], []
        for split, (array, own) in parts.items():
            padded.append(np.pad(array, ((0, 0), (0, time - array.shape[1]), (0, 0))))
            known = lengths_of(data[split], split, source, array.shape[1]) if own is None else own
            if known is not None and len(known) != len(array):
                raise Wrong(f"{split}: `{source}` has {len(known)} lengths, `id` has {len(array)} rows")
            if known is not None and (known < 0).any():
                raise Wrong(f"{split}: `{source}` has a length below 0")
            lengths.append(known)
        whole, frames = np.concatenate(padded), None
        if all(known is not None for known in lengths):
            # A length beyond the frames counts what was cut off.
            limits = np.concatenate([np.full(len(array), array.shape[1]) for array, _ in parts.values()])
            frames = np.minimum(np.concatenate(lengths), limits).astype("<i8")
        if time == 1 and (frames is None or (frames == 1).all()):
            tensors[target] = whole[:, 0, :]
            continue
        tensors[target] = whole
        if frames is not None:
            tensors[f"{target}_lengths"] = frames
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
    except OSError as error:
        print(f"{error.filename or arguments.folder}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)
    except Wrong as error:
        print(f"{arguments.pickle}: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
