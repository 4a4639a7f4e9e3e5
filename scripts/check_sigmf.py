#!/usr/bin/env python3
"""Checks recordings of the channel emulator with the reference library of SigMF.

    pip install sigmf
    scripts/check_sigmf.py STEM [STEM ...]

Each STEM names STEM-in and STEM-out, and STEM.sigmf-collection if the recording was closed. For each side: the metadata
are valid SigMF, every namespace is declared, annotations are of bursts one after the other within the samples, the
library reads every burst as the bytes of the file have it, and the hash, if there is one, is that of the samples. Prints
one line a recording; ends with 1 at the first that is not as it should be.
"""

import json
import os
import sys
import warnings

import numpy
import sigmf


def check_side(stem, side):
    """Returns the annotations of one side."""
    name = f"{stem}-{side}"
    # Compares the hash, if there is one.
    recording = sigmf.fromfile(f"{name}.sigmf-meta")
    recording.validate()
    info = recording.get_global_info()
    assert info["core:datatype"] == "cf32_le", info
    assert info["latentlink:side"] == side, info
    # The library adds the hash to what it has read.
    with open(f"{name}.sigmf-meta", encoding="utf-8") as file:
        written = json.load(file)["global"]
    assert ("core:sha512" in written) == written["latentlink:complete"], written
    samples = numpy.fromfile(f"{name}.sigmf-data", dtype="<c8")
    annotations = recording.get_annotations()
    end = 0
    for annotation in annotations:
        start, count = annotation["core:sample_start"], annotation["core:sample_count"]
        assert start == end, f"{name}: expected a burst at {end}, got one at {start}"
        end = start + count
        read = recording.read_samples(start, count)
        assert numpy.array_equal(read, samples[start:end]), f"{name}: other samples at {start}"
        assert numpy.isfinite(read).all(), f"{name}: not finite at {start}"
    assert end <= len(samples), f"{name}: {end} samples are annotated, there are {len(samples)}"
    if info["latentlink:complete"]:
        assert end == len(samples) and info["latentlink:bursts"] == len(annotations), info
    return annotations


def check(stem):
    incoming, outgoing = check_side(stem, "in"), check_side(stem, "out")
    both = min(len(incoming), len(outgoing))
    assert incoming[:both] == outgoing[:both], f"{stem}: the sides are annotated otherwise"
    streams = "no collection"
    if os.path.exists(f"{stem}.sigmf-collection"):
        # Compares the hashes of both sides' metadata.
        collection = sigmf.fromfile(f"{stem}.sigmf-collection")
        names = collection.get_stream_names()
        base = os.path.basename(stem)
        assert names == [f"{base}-in", f"{base}-out"], names
        assert all(collection.get_SigMFFile(stream_name=name) is not None for name in names)
        streams = "a collection of both"
    print(f"{stem}: {both} bursts, {streams}, valid for sigmf {sigmf.__version__}")


if __name__ == "__main__":
    # An extension that is used and not declared is no more than a warning to the library.
    warnings.simplefilter("error", DeprecationWarning)
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for stem in sys.argv[1:]:
        check(stem)
