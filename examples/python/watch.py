"""Prints the live accuracy of a receiver whenever its journal has changed. Nothing is generated, as in client.py.

    python3 watch.py 127.0.0.1:50053
"""
import sys

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

channel = grpc.insecure_channel(sys.argv[1])
pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
WatchRequest, WatchResponse = (
    message_factory.GetMessageClass(pool.FindMessageTypeByName(f"latentlink.v1.{name}"))
    for name in ("WatchRequest", "WatchResponse")
)
kinds = pool.FindEnumTypeByName("latentlink.v1.ChannelKind").values_by_number


def share(part, whole):
    return f"{part / whole:.3f}" if whole else "-"


watch = channel.unary_stream("/latentlink.v1.Receiver/Watch", WatchRequest.SerializeToString, WatchResponse.FromString)
for response in watch(WatchRequest(interval_ms=1000, latest=3)):
    snapshot = response.snapshot
    print(f"{snapshot.clips} clips")
    for tally in snapshot.tallies:
        met = tally.conditions
        kind = kinds[met.kind].name.removeprefix("CHANNEL_KIND_").lower()
        snr = f" {met.snr_db:g} dB" if met.HasField("snr_db") else ""
        accuracy = f"Acc-2 pos {share(tally.sign_correct, tally.signed)}, nonneg {share(tally.nonneg_correct, tally.labelled)}"
        print(f"  {kind}{snr}: {tally.clips} clips, {accuracy}")
    for row in snapshot.latest:
        print(f"  {row.clip_id}: {row.prediction.score.median:+.2f} {row.caption[:60]}")
    sys.stdout.flush()
