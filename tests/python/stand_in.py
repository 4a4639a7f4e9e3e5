"""Stands in for the receiver or the channel emulator, written with stock grpcio and the descriptors of the contract alone.

    python3 stand_in.py receiver V1.BINPB LISTEN
    python3 stand_in.py emulator V1.BINPB LISTEN RECEIVER

Addresses are host:port. Prints `listening`, then `stream` for every stream of bursts that is opened. Its HTTP/2 side is as
grpcio has it: response headers go out with the first response, and peers that ping too often are sent away.
"""
import sys
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

role, descriptors, listen, *rest = sys.argv[1:]
pool = descriptor_pool.DescriptorPool()
with open(descriptors, "rb") as file:
    for description in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
        pool.Add(description)


def message(name):
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"latentlink.v1.{name}"))


Acknowledgement, Answer, Burst, ChannelReport, Prediction = map(
    message, ("Acknowledgement", "Answer", "Burst", "ChannelReport", "Prediction")
)
RelayRequest, RelayResponse, ReceiveRequest, ReceiveResponse = map(
    message, ("RelayRequest", "RelayResponse", "ReceiveRequest", "ReceiveResponse")
)
NONE = pool.FindEnumTypeByName("latentlink.v1.ChannelKind").values_by_name["CHANNEL_KIND_NONE"].number


def whole_bursts(requests):
    """The bursts of a stream, put together."""
    print("stream", flush=True)
    header = next(requests)
    assert header.header.protocol_version == 1 and header.header.model_id, header
    burst, missing = None, 0
    for request in requests:
        if request.WhichOneof("message") == "burst":
            burst, missing = request.burst, request.burst.chunks_following
        else:
            burst.symbols += request.chunk.data
            missing -= 1
        if missing == 0:
            yield burst


def receive(requests, context):
    """Predicts the same for every burst: a score of 1.5."""
    for burst in whole_bursts(requests):
        assert len(burst.symbols) % 8 == 0 and burst.channel.HasField("conditions"), burst
        prediction = Prediction(distribution=[0, 0, 0, 0, 0.5, 0.5, 0])
        prediction.score.median, prediction.score.p_pos = 1.5, 1
        answer = Answer(prediction=prediction, channel=burst.channel, timings=burst.timings)
        acknowledgement = Acknowledgement(delivery=burst.delivery, answer=answer.SerializeToString())
        yield ReceiveResponse(acknowledgement=acknowledgement)


def relay(requests, context):
    """A channel without noise, in front of a receiver."""

    def onward():
        print("stream", flush=True)
        for request in requests:
            kind = request.WhichOneof("message")
            if kind == "burst":
                report = ChannelReport(conditions={"kind": NONE}, h_re=1)
                request.burst.channel.CopyFrom(report)
            yield ReceiveRequest(**{kind: getattr(request, kind)})

    for response in receiver(onward()):
        yield RelayResponse(acknowledgement=response.acknowledgement)


def handler(behaviour, request, response):
    return grpc.stream_stream_rpc_method_handler(
        behaviour, request_deserializer=request.FromString, response_serializer=response.SerializeToString
    )


if role == "receiver":
    service, methods = "Receiver", {"Receive": handler(receive, ReceiveRequest, ReceiveResponse)}
else:
    channel = grpc.insecure_channel(rest[0])
    receiver = channel.stream_stream(
        "/latentlink.v1.Receiver/Receive", ReceiveRequest.SerializeToString, ReceiveResponse.FromString
    )
    service, methods = "ChannelEmulator", {"Relay": handler(relay, RelayRequest, RelayResponse)}
# A second ping within five minutes without a message is one too many; grpcio's own limit is two more.
options = [("grpc.so_reuseport", 0), ("grpc.http2.max_ping_strikes", 1)]
server = grpc.server(futures.ThreadPoolExecutor(16), options=options)
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(f"latentlink.v1.{service}", methods)])
assert server.add_insecure_port(listen), f"cannot listen on {listen}"
server.start()
print("listening", flush=True)
server.wait_for_termination()
