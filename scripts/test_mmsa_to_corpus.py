#!/usr/bin/env python3
"""Tests of mmsa_to_corpus.py on tiny pickles made here: python3 scripts/test_mmsa_to_corpus.py (needs numpy).

With a folder as argument it writes there the corpus folder `unaligned` instead, for the tests of the reader.
"""

import csv
import json
import os
import pickle
import struct
import sys
import tempfile
import unittest

import numpy as np

import mmsa_to_corpus as script


def part(first, n, lengths):
    """n clips with the given audio lengths; text has 3 tokens in its mask, vision is padded with zeros and has no lengths."""
    audio = np.zeros((n, 4, 2), dtype=np.float32)
    vision = np.zeros((n, 5, 1), dtype=np.float64)
    for row, length in enumerate(lengths):
        audio[row, :length] = first + row + 1
        vision[row, : row + 1] = 0.5
    mask = np.zeros((n, 3, 6), dtype=np.int64)
    mask[:, 1, :3] = 1
    return {
        "id": [f"vid{first}$_${row}" for row in range(n)],
        "raw_text": np.array([f"clip, {row}" for row in range(n)]),
        "regression_labels": np.linspace(-3, 2.5, n),
        "text": np.full((n, 6, 3), 7.0, dtype=np.float32),
        "text_bert": mask,
        "audio": audio,
        "audio_lengths": list(lengths),
        "vision": vision,
    }


def unaligned():
    train = part(0, 3, [4, 2, 9])
    train["audio"][0, 0, 0] = -np.inf
    return {"train": train, "valid": part(10, 1, [1]), "test": part(20, 2, [0, 3])}


def convert(data, folder):
    source = os.path.join(folder, "features.pkl")
    with open(source, "wb") as file:
        pickle.dump(data, file)
    target = os.path.join(folder, "unaligned")
    script.convert(source, target)
    return target


def read_safetensors(path):
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(size)), file.read()
    types = {"F32": "<f4", "I64": "<i8"}
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], types[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }


class Conversion(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def test_clips_and_tensors(self):
        target = convert(unaligned(), self.folder.name)
        with open(os.path.join(target, "clips.csv"), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["id"] for row in rows], ["vid0_0", "vid0_1", "vid0_2", "vid10_0", "vid20_0", "vid20_1"])
        self.assertEqual([row["split"] for row in rows], ["train"] * 3 + ["valid"] + ["test"] * 2)
        self.assertEqual((rows[1]["video_id"], rows[1]["text"]), ("vid0", "clip, 1"))
        self.assertEqual([float(row["label"]) for row in rows[:3]], [-3.0, -0.25, 2.5])
        tensors = read_safetensors(os.path.join(target, "features.safetensors"))
        self.assertEqual(tensors["text"].shape, (6, 6, 3))
        self.assertEqual(tensors["text_lengths"].tolist(), [3] * 6)
        # Nine frames were measured, four are there.
        self.assertEqual(tensors["audio_lengths"].tolist(), [4, 2, 4, 1, 0, 3])
        self.assertTrue(np.isneginf(tensors["audio"][0, 0, 0]))
        self.assertEqual(tensors["visual"].shape, (6, 5, 1))
        self.assertNotIn("visual_lengths", tensors)
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["features.pkl", "unaligned"])

    def refused(self, change, expected):
        data = unaligned()
        change(data)
        with self.assertRaisesRegex(script.Wrong, expected):
            convert(data, self.folder.name)
        self.assertEqual(os.listdir(self.folder.name), ["features.pkl"])

    def test_faults_are_named(self):
        self.refused(lambda data: data["valid"].pop("raw_text"), "valid: no field `raw_text`")
        self.refused(lambda data: data["test"].update(audio=np.zeros((1, 4, 2))), "test: field `audio` has 1 rows, `id` has 2")
        self.refused(lambda data: data["train"].update(id=["a", "b", "c"]), r"expected ids like video\$_\$clip, got 'a'")
        self.refused(lambda data: data["test"].pop("vision"), "`vision` is in train, valid only")
        self.refused(lambda data: data["test"].update(text=np.zeros((2, 6, 4))), "`text` has shapes")

    def test_code_is_refused(self):
        source = os.path.join(self.folder.name, "evil.pkl")
        with open(source, "wb") as file:
            file.write(b"cos\nsystem\n(S'true'\ntR.")
        with self.assertRaisesRegex(script.Wrong, "system, which is no array"):
            script.convert(source, os.path.join(self.folder.name, "out"))


if __name__ == "__main__":
    if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]):
        convert(unaligned(), sys.argv[1])
    else:
        unittest.main()
