"""Teaches schemathesis to write a list of messages as NDJSON, one JSON text a line."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    if not isinstance(value, list):
        return json.dumps(value).encode()
    return b"".join(json.dumps(message).encode() + b"\n" for message in value)
