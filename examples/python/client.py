"""Sends clips to a transmitter and prints their outcomes. Nothing is generated: the server says what its messages are.

    python3 client.py 127.0.0.1:50051 "what a wonderful film" "never again"
    python3 client.py 127.0.0.1:50051 < clips.jsonl      # {"id": "a", "audio": [[0.1, …], …], "visual": …, "label": 1.5}
"""
import json
import struct
import sys
import uuid

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

channel = grpc.insecure_channel(sys.argv[1])
pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
SendRequest, SendResponse = (
    message_factory.GetMessageClass(pool.FindMessageTypeByName(f"latentlink.v1.{name}"))
    for name in ("SendRequest", "SendResponse")
)


def content_of(content):
    if isinstance(content, str):
        return {"transcript": content}
    data = b"".join(struct.pack(f"<{len(frame)}f", *frame) for frame in content)
    return {"features": {"frames": len(content), "width": len(content[0]), "data": data}}


def clips():
    run = str(uuid.uuid4())  # with the sequence number the key that a clip is answered and counted by
    given = ({"id": text, "text": text} for text in sys.argv[2:]) if sys.argv[2:] else map(json.loads, sys.stdin)
    for sequence, clip in enumerate(given):
        names = {"text", "audio", "visual"} & clip.keys()
        modalities = {name: content_of(clip.pop(name)) for name in names}
        delivery = {"run_id": run, "sequence": sequence}
        yield SendRequest(clip={"delivery": delivery, "modalities": modalities, **clip})


send = channel.stream_stream("/latentlink.v1.Transmitter/Send", SendRequest.SerializeToString, SendResponse.FromString)
for response in send(clips()):
    outcome = response.outcome
    if outcome.WhichOneof("result") == "error":
        print(f"{outcome.clip_id}: {outcome.error.field}: {outcome.error.message}")
    else:
        p = outcome.prediction.score
        print(f"{outcome.clip_id}: score {p.median:+.2f}, negative {p.p_neg:.3f}, zero {p.p_zero:.3f}, positive {p.p_pos:.3f}")
