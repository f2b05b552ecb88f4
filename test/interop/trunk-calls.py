"""Goes through every kind of call with trunk-client.py, and prints what came back: one JSON object a line."""
import importlib.util
import json
import pathlib
import socket
import struct
import sys

spec = importlib.util.spec_from_file_location('trunk', pathlib.Path(__file__).with_name('trunk-client.py'))
trunk = importlib.util.module_from_spec(spec)
spec.loader.exec_module(trunk)
varint, text = trunk.varint, trunk.text


def order(id, sku, quantity, price, note, tags):
    """An Order in protobuf, by hand: 1 id, 2 sku, 3 quantity, 4 price (double), 5 note, 6 tags (repeated)."""
    out = b'\x0a' + text(id) + b'\x12' + text(sku) + b'\x18' + varint(quantity) + b'\x21' + struct.pack('<d', price)
    return out + b'\x2a' + text(note) + b''.join(b'\x32' + text(tag) for tag in tags)


def fields(data):
    """A protobuf message as a list of (number, value)."""
    reader, out = trunk.Fields(data), []
    while reader.at < len(data):
        tag = reader.varint()
        if tag & 7 == 0:
            value = reader.varint()
        elif tag & 7 == 1:
            reader.at += 8
            value = struct.unpack('<d', data[reader.at - 8:reader.at])[0]
        else:
            value = reader.bytes().decode()
        out.append([tag >> 3, value])
    return out


def n(value):
    return b'\x08' + varint(value)


def show(name, **what):
    print(json.dumps({'name': name, **what}), flush=True)


def failure(call):
    try:
        for _ in call:
            pass
    except trunk.CallFailed as error:
        return {'code': error.code, 'message': error.message, 'fault': error.fault, 'detail': fields(error.detail),
                'retryAfter': error.retry_after, 'issues': error.issues, 'processed': error.processed}


connection = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client = trunk.Trunk(connection, 'test.orders.v1')

reference = order('ord_01HZX3Q5', 'SKU-4711', 3, 12.5, 'leave at the door, ring twice please', ['fragile', 'eu', 'ü'])
(echoed,) = client.call('echo', [reference], timeout=5000)
show('unary', same=echoed == reference, fields=fields(echoed))

large = order('x', 'y', 1, 1.0, 'z' * 3_000_000, [])
(echoed,) = client.call('echo', [large])
show('large', same=echoed == large, size=len(echoed))

show('server stream', got=[fields(each)[0][1] for each in client.call('count', [n(1000)])])
show('client stream', got=[fields(each) for each in client.call('sum', [n(each) for each in range(1, 1001)])])

chat = client.call('double', end=False)
answers = []
for each in range(1, 4):
    chat.send(n(each))
    answers.append(fields(next(chat))[0][1])
chat.end()
show('bidirectional', got=answers, rest=list(chat))

sent = [('x-tenant', 'acme'), ('x-raw-bin', b'\x00\xff')]
call = client.call('metadata', metadata=sent)
list(call)
show('metadata', metadata=[[name, value if isinstance(value, str) else value.hex()] for name, value in call.metadata],
     trailers=call.trailers)

show('fault', **failure(client.call('refuse', [n(7)])))
show('invalid', **failure(client.call('echo', [order('a', 'b', 0, 1.0, '', [])])))
show('busy', **failure(client.call('busy')))
show('deadline', **failure(client.call('sleep', timeout=30)))

sleeping = client.call('sleep')
client.write(trunk.PING, 0, 0, b'pingpong')
sleeping.cancel('canceled', 'changed my mind')
show('cancel', **failure(sleeping))

(contract,) = client.describe('test.orders.v1')
show('describe', contract=contract['name'], operations=sorted(contract['operations']))
show('unknown', got=client.describe('no.such.v1'))

waiting = client.call('goodbye')
show('drain', got=[each.hex() for each in waiting], draining=client.draining)
try:
    while True:
        client.read()
except trunk.Gone as why:
    show('gone', why=str(why))
