#!/usr/bin/env python3
"""Tests of mmsa_to_corpus.py on tiny pickles made here: python3 scripts/test_mmsa_to_corpus.py (needs numpy).

With a folder as argument it writes there the corpus folder `unaligned` instead, for the tests of the reader.
"""

import csv
import json
import os
import pickle
import struct
import subprocess
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


def listed(first, lengths):
    """A split as MAG-BERT keeps it, with clips of the given numbers of frames."""
    clips = []
    for row, length in enumerate(lengths):
        visual, acoustic = np.full((length, 2), 0.25), np.full((length, 3), first + row, dtype=np.float32)
        clips.append(((["so", b"good"], visual, acoustic), np.array([[row - 1.5]]), f"vid{first}[{row}]"))
    return clips


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

    def rows(self, target):
        with open(os.path.join(target, "clips.csv"), newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_every_split_is_written_whatever_it_is_called(self):
        for name in ("valid", "dev", "validation"):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                data = unaligned()
                data[name] = data.pop("valid")
                rows = self.rows(convert(data, folder))
                self.assertEqual([row["split"] for row in rows], ["train"] * 3 + ["valid"] + ["test"] * 2)

    def test_lists_of_clips_are_read(self):
        data = {"train": listed(0, [2, 5]), "dev": listed(10, [3]), "test": listed(20, [3, 3])}
        target = convert(data, self.folder.name)
        rows = self.rows(target)
        self.assertEqual([row["id"] for row in rows], ["vid0_0", "vid0_1", "vid10_0", "vid20_0", "vid20_1"])
        self.assertEqual([row["split"] for row in rows], ["train", "train", "valid", "test", "test"])
        self.assertEqual((rows[0]["video_id"], rows[0]["text"], float(rows[1]["label"])), ("vid0", "so good", -0.5))
        tensors = read_safetensors(os.path.join(target, "features.safetensors"))
        self.assertEqual(tensors["audio"].shape, (5, 5, 3))
        self.assertEqual(tensors["audio_lengths"].tolist(), [2, 5, 3, 3, 3])
        self.assertEqual(tensors["visual_lengths"].tolist(), [2, 5, 3, 3, 3])
        self.assertEqual(tensors["audio"][0, :, 0].tolist(), [0.0] * 5)
        self.assertEqual(tensors["audio"][1, :, 0].tolist(), [1.0] * 5)
        self.assertEqual(tensors["audio"][2, :, 0].tolist(), [10.0] * 3 + [0.0] * 2)
        self.assertNotIn("text", tensors)

    def test_words_by_number_come_with_their_strings(self):
        (words, visual, acoustic), label, _ = listed(0, [2])[0]
        clip = (([7, 8], visual, acoustic, words), label, "a_b_3")
        (row,) = self.rows(convert({"train": [clip]}, self.folder.name))
        self.assertEqual((row["id"], row["video_id"], row["text"]), ("a_b_3", "a_b", "so good"))

    def test_arrays_of_different_lengths_are_padded(self):
        data = unaligned()
        ragged = np.empty(3, dtype=object)
        ragged[:] = [np.full((n, 2), n, dtype=np.float32) for n in (1, 7, 2)]
        data["train"].update(audio=ragged)
        data["valid"].update(audio=[np.ones((2, 2))])
        tensors = read_safetensors(os.path.join(convert(data, self.folder.name), "features.safetensors"))
        self.assertEqual(tensors["audio"].shape, (6, 7, 2))
        self.assertEqual(tensors["audio_lengths"].tolist(), [1, 7, 2, 1, 0, 3])

    def refused(self, change, expected):
        data = unaligned()
        change(data)
        with self.subTest(expected):
            with self.assertRaisesRegex(script.Wrong, expected):
                convert(data, self.folder.name)
            self.assertEqual(os.listdir(self.folder.name), ["features.pkl"])

    def test_faults_are_named(self):
        self.refused(lambda data: data["valid"].pop("raw_text"), "valid: no field `raw_text`")
        self.refused(lambda data: data["test"].update(audio=np.zeros((1, 4, 2))), "test: field `audio` has 1 rows, `id` has 2")
        self.refused(lambda data: data["train"].update(id=["a", "b", "c"]), r"expected ids like video\$_\$clip, got 'a'")
        self.refused(lambda data: data["test"].pop("vision"), "`vision` is in train, valid only")
        self.refused(lambda data: data["test"].update(text=np.zeros((2, 6, 4))), "`text` has shapes")
        self.refused(lambda data: data["test"].update(audio=np.zeros((2, 4, 2, 2))), r"test: field `audio` has shape \(2, 4, 2, 2\)")

    def test_splits_that_cannot_be_told_are_named(self):
        self.refused(lambda data: data.update(extra=part(30, 1, [1])), "unknown splits: `extra`")
        self.refused(lambda data: data.update(dev=part(30, 1, [1])), "`valid` and `dev` are both the split valid")
        self.refused(lambda data: data.update(train=None), "train: expected a dict of fields or a list of clips, got nothing")
        self.refused(lambda data: data["train"].pop("id"), "train: no field `id`")
        self.refused(lambda data: data["train"].update(id=None), "train: field `id`: expected rows, got nothing")
        self.refused(dict.clear, "unknown splits: none")

    def test_labels_that_are_none_are_named(self):
        def label(value):
            return lambda data: data["test"].update(regression_labels=[0.0, value])

        where = r"test: clip 1 \('vid20\$_\$1'\), field `regression_labels`: "
        self.refused(label([]), where + "is empty")
        self.refused(label("good"), where + "expected a number, got 'good'")
        self.refused(label(None), where + "expected a number")
        self.refused(label(3.5), where + r"expected a number in \[-3, 3\], got 3.5")
        self.refused(label(float("nan")), where + r"expected a number in \[-3, 3\], got nan")
        self.refused(lambda data: data["test"].update(regression_labels=[]), "`regression_labels` has 0 rows, `id` has 2")

    def test_features_that_are_none_are_named(self):
        def audio(*values):
            return lambda data: data["test"].update(audio=list(values))

        good = np.ones((2, 2))
        self.refused(audio(good, np.ones(3)), r"test: clip 1, field `audio` has shape \(3,\)")
        self.refused(audio(good, "noise"), r"test: clip 1, field `audio`: expected numbers in \[time, width\]")
        self.refused(audio(good, np.ones((3, 4))), r"test: field `audio` has clips of widths \[2, 4\]")
        self.refused(lambda data: data["test"].update(audio=7), "test: field `audio`: expected rows, got a int")
        self.refused(lambda data: data["test"].update(audio_lengths=["x", "y"]), "test: field `audio_lengths`: expected whole")
        self.refused(lambda data: data["test"].update(audio_lengths=[1, -1]), "test: `audio` has a length below 0")

    def test_clips_named_twice_are_refused(self):
        self.refused(lambda data: data["test"].update(id=["vid0$_$1", "b$_$1"]), r"test: clip 0 \('vid0\$_\$1'\), field `id`: train: clip 1 has it")

    def test_lists_that_hold_something_else_are_named(self):
        def clip(value):
            return lambda data: data.update(test=[*listed(20, [2]), value])

        self.refused(clip(None), r"test: clip 1: expected \(\(words, visual, acoustic\), label, segment\), got nothing")
        self.refused(clip(((), 0.0, "a_1")), "test: clip 1: expected .* its first part is a tuple")
        self.refused(clip((([3, 4], np.ones((2, 2)), np.ones((2, 3))), 0.0, "a_1")), "test: clip 1: field `words`: expected strings")

    def test_every_end_of_the_script_is_a_message_and_a_code(self):
        source, target = (os.path.join(self.folder.name, name) for name in ("bad.pkl", "out"))
        good = pickle.dumps(unaligned())
        for content, expected in (
            (good[:1000], "not a readable pickle: "),
            (b"\x80\x05K\x01R.", "not a readable pickle: "),
            (b"", "not a readable pickle: "),
            (pickle.dumps(listed(0, [2])), "it holds a list, which is one split"),
            (pickle.dumps(3), "it holds a int; expected a dict"),
            (pickle.dumps({"train": {"id": ["v$_$1"], "raw_text": ["x"], "regression_labels": [[]]}}), "is empty"),
            (None, "No such file"),
        ):
            with self.subTest(expected):
                if content is not None:
                    with open(source, "wb") as file:
                        file.write(content)
                elif os.path.exists(source):
                    os.remove(source)
                ran = subprocess.run([sys.executable, "-B", script.__file__, source, target], capture_output=True, text=True)
                self.assertEqual(ran.returncode, 2, ran.stderr)
                self.assertTrue(ran.stderr.startswith(f"{source}: ") and ran.stderr.count("\n") == 1, ran.stderr)
                self.assertIn(expected, ran.stderr)
                self.assertFalse(os.path.exists(target))
                self.assertLessEqual(set(os.listdir(self.folder.name)), {"bad.pkl"})

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
