"""A client of the trunk protocol in Python's standard library, written from docs/trunk-protocol.md alone.

    client = Trunk(socket.create_connection(('127.0.0.1', 7000)), 'acme.orders.v1')
    reply = client.call('place', [order_bytes])           # unary: one message in, one out
    print(reply.metadata, list(reply), reply.trailers)

Messages are bytes: protobuf is the caller's business. trunk-calls.py uses it for every kind of call, as the
test trunk-python.test.ts does.
"""
import json
import struct

OVERHEAD = 32  # what a frame with a message costs beside its bytes
MAGIC = b'\xf5trunk\r\n'
HELLO, OPEN, DATA, ERROR, CANCEL, CREDIT, PING, PONG, GOAWAY, DESCRIBE, DESCRIPTION = range(1, 12)
END, MORE, MESSAGE, METADATA, TRAILERS = 1, 2, 4, 8, 16
SETTINGS = {1: 'message', 2: 'header', 3: 'streams', 4: 'stream_window', 5: 'connection_window', 6: 'frame'}
ASSUMED = {'message': 1 << 24, 'header': 32768, 'streams': 1024, 'stream_window': 65536, 'connection_window': 65536,
           'frame': 65536}
CODES = ('ok canceled unknown invalid_argument deadline_exceeded not_found already_exists permission_denied '
         'resource_exhausted failed_precondition aborted out_of_range unimplemented internal unavailable data_loss '
         'unauthenticated').split()


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return varint(len(data)) + data


def pairs(metadata):
    return varint(len(metadata)) + b''.join(text(name) + text(value) for name, value in metadata)


class Fields:
    """Reads the fields of a body."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def bytes(self):
        length = self.varint()
        self.at += length
        return self.data[self.at - length:self.at]

    def text(self):
        return self.bytes().decode()

    def list(self, read):
        return [read() for _ in range(self.varint())]

    def metadata(self):
        def pair():
            name = self.text()
            return name, self.bytes() if name.endswith('-bin') else self.text()
        return self.list(pair)

    def rest(self):
        return self.data[self.at:]


class CallFailed(Exception):
    def __init__(self, fields):
        self.code = CODES[fields.varint()]
        self.processed = fields.byte() == 1
        self.retry_after = fields.varint() - 1
        self.http = fields.varint()
        self.message = fields.text()
        self.fault, self.detail = fields.text(), fields.bytes()
        self.issues = fields.list(lambda: (fields.text(), fields.text()))
        fields.list(lambda: (fields.text(), fields.bytes()))
        self.metadata = fields.metadata()
        super().__init__(f'{self.code}: {self.message}')


class Gone(Exception):
    """The connection has ended."""


class Call:
    """One call: iterate over it for the messages that come back."""

    def __init__(self, trunk, stream):
        self.trunk, self.id = trunk, stream
        self.credit = trunk.peer['stream_window']
        self.window, self.owed = ASSUMED['stream_window'], 0
        self.inbox, self.part, self.part_owed = [], b'', 0
        self.metadata, self.trailers, self.ended, self.error = [], [], False, None

    def send(self, message, last=False):
        """Sends one message, in parts, as credit allows."""
        at = 0
        while True:
            while min(self.credit, self.trunk.credit) <= 0 and not self.ended:
                self.trunk.read()
            if self.ended:
                return
            size = min(len(message) - at, 32768, self.credit, self.trunk.credit)
            more = at + size < len(message)
            self.credit -= size + OVERHEAD
            self.trunk.credit -= size + OVERHEAD
            self.trunk.write(DATA, MESSAGE | (MORE if more else END if last else 0), self.id, message[at:at + size])
            at += size
            if not more:
                return

    def end(self):
        if not self.ended:
            self.trunk.write(DATA, END, self.id, b'')

    def cancel(self, code='canceled', why=''):
        self.trunk.write(CANCEL, 0, self.id, varint(CODES.index(code)) + text(why))

    def __iter__(self):
        return self

    def __next__(self):
        while not self.inbox and not self.ended:
            if self.part_owed:  # its parts are given back as they come, since it is being waited for
                self.give(self.part_owed)
                self.part_owed = 0
            self.trunk.read()
        if self.inbox:
            message, held = self.inbox.pop(0)
            self.give(held)
            return message
        if self.error:
            raise self.error
        raise StopIteration

    def give(self, size):
        self.trunk.give(size)
        self.owed += size
        if self.owed * 2 >= self.window and not self.ended:
            self.trunk.write(CREDIT, 0, self.id, struct.pack('>I', self.owed))
            self.owed = 0

    def data(self, flags, fields):
        if flags & METADATA:
            self.metadata = fields.metadata()
        if flags & TRAILERS:
            self.trailers = fields.metadata()
        if flags & MESSAGE:
            part = fields.rest()
            self.part += part
            self.part_owed += len(part) + OVERHEAD
            if not flags & MORE:
                self.inbox.append((self.part, self.part_owed))
                self.part, self.part_owed = b'', 0
        if flags & END:
            self.trunk.over(self)


class Trunk:
    def __init__(self, sock, *contracts):
        self.sock, self.buffer = sock, b''
        self.calls, self.free, self.generations = {}, [], []
        self.descriptions, self.part = [], b''
        self.owed, self.draining, self.peer = 0, False, None
        names = varint(len(contracts)) + b''.join(text(name) + text('') for name in contracts)
        sock.sendall(MAGIC)
        self.write(HELLO, 0, 0, varint(1) + varint(1) + varint(0) + names)
        while self.peer is None:
            self.read()

    def write(self, kind, flags, stream, body):
        self.sock.sendall(struct.pack('>I', len(body))[1:] + bytes((kind, flags)) + struct.pack('>I', stream) + body)

    def give(self, size):
        """Frames with messages were dealt with."""
        self.owed += size
        if self.owed * 2 >= ASSUMED['connection_window']:
            self.write(CREDIT, 0, 0, struct.pack('>I', self.owed))
            self.owed = 0

    def exactly(self, size):
        while len(self.buffer) < size:
            chunk = self.sock.recv(65536)
            if not chunk:
                raise Gone('the connection was cut')
            self.buffer += chunk
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def read(self):
        """Reads and deals with one frame."""
        head = self.exactly(9)
        body = Fields(self.exactly(int.from_bytes(head[:3], 'big')))
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], 'big')
        call = self.calls.get(stream)
        if kind == HELLO:
            self.hello(body)
        elif kind == DATA and call:
            call.data(flags, body)
        elif kind == ERROR and call:
            call.error = CallFailed(body)
            self.over(call)
        elif kind == CREDIT:
            (size,) = struct.unpack('>I', body.rest())
            if stream == 0:
                self.credit += size
            elif call:
                call.credit += size
        elif kind == PING:
            self.write(PONG, 0, 0, body.rest())
        elif kind == DESCRIPTION:
            self.part += body.rest()
            if not flags & MORE:
                self.descriptions.append(json.loads(self.part))
                self.part = b''
        elif kind == GOAWAY:
            code, seen, why = body.varint(), body.varint(), body.text()
            self.draining = True
            if flags & END:
                raise Gone(f'{why} ({code}, {seen} calls seen)')

    def hello(self, body):
        if body.varint() != 1:
            raise Gone('not version 1')
        self.peer = dict(ASSUMED)
        for key, value in body.list(lambda: (body.varint(), body.varint())):
            if key in SETTINGS:
                self.peer[SETTINGS[key]] = value
        self.credit = self.peer['connection_window']
        methods = lambda: body.list(lambda: (body.varint(), body.text(), body.byte()))
        self.methods = {name: number for _, _, listed in body.list(lambda: (body.text(), body.text(), methods()))
                        for number, name, _ in listed}

    def over(self, call):
        call.ended = True
        del self.calls[call.id]
        self.free.append(call.id & 0xffff)

    def call(self, method, messages=(), timeout=0, metadata=(), end=True):
        """Opens a call, sends its messages and, unless told otherwise, ends the input."""
        slot = self.free.pop() if self.free else len(self.generations)
        if slot == len(self.generations):
            self.generations.append(0)
        generation = self.generations[slot] % 0xffff + 1
        self.generations[slot] = generation
        call = self.calls[generation << 16 | slot] = Call(self, generation << 16 | slot)
        flags = (METADATA if metadata else 0) | (END if end and not messages else 0)
        body = varint(self.methods[method]) + varint(timeout) + (pairs(metadata) if metadata else b'')
        self.write(OPEN, flags, call.id, body)
        for index, message in enumerate(messages):
            call.send(message, end and index == len(messages) - 1)
        return call

    def describe(self, name=''):
        self.write(DESCRIBE, 0, 0, text(name))
        while not self.descriptions:
            self.read()
        return self.descriptions.pop(0)
