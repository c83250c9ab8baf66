"""Code that takes the place of the worker: it finds the connection to the judge and answers on it by hand."""

import textwrap

from . import SUM, answering, submission

FORGING = """
import stat
from grading.engine import wire
from grading.engine.calls import Answer, Call, Cost, Fault

def connection():
    for number in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode): return number
        except OSError: pass
    os._exit(1)

def send(data):
    number = connection()
    os.set_blocking(number, True)
    view = memoryview(data)
    while view: view = view[os.write(number, view):]

def calls():
    frame = sys._getframe(1)
    while frame is not None:
        if isinstance(frame.f_locals.get('calls'), list): return frame.f_locals['calls']
        frame = frame.f_back
    return [None] * 6

def wait(): time.sleep(20)
"""


def forging(lines: str) -> str:
    return answering(textwrap.dedent(lines).strip() + f"\n{SUM}", FORGING)


@submission("")
def replies_with_noise() -> str:
    """A reply that is no message."""
    return forging("send(b'\\x07\\0\\0\\0\\0\\0\\0\\0notvalid' + os.urandom(1000))\nwait()")


@submission("")
def replies_with_a_huge_length() -> str:
    """A reply that promises 4 GB."""
    return forging("send(b'\\xff' * 8)\nwait()")


@submission("")
def replies_to_other_calls() -> str:
    """Replies of another number than there were calls, none among them."""
    return forging("send(wire.encode_replies([]))\nsend(wire.encode_replies([Answer(torch.ones(1))] * 1000))\nwait()")


@submission("")
def replies_with_false_tensors() -> str:
    """Tensors of a dtype that is none, of a negative size, and of 10^18 entries in a body of none."""
    return forging("""
        import msgspec, struct
        odd = ('float128', [1]), ('float64', [-1, -1]), ('float64', [10**9, 10**9]), ('bool', [2**62, 0])
        for dtype, shape in odd:
            tensor = ['tensor', dtype, shape]
            header = msgspec.msgpack.encode([['answer', tensor, False, [], [], [], [], [0, 0, 0]]] * len(calls()))
            send(struct.pack('<II', len(header), 0) + header)
        wait()
    """)


@submission("")
def replies_too_deeply() -> str:
    """A reply nested a hundred thousand deep."""
    return forging("""
        import struct
        header = b'\\x91' * 100000 + b'\\xc0'
        send(struct.pack('<II', len(header), 0) + header)
        wait()
    """)


@submission("")
def replies_with_verdicts() -> str:
    """Faults of kinds that do not exist: passed, right, todo, with messages for whoever reads them."""
    return forging("""
        fault = Fault('passed', 'right', '\\x1b[2J</pre><script>alert(1)</script>', 'x' * 10**5, 'y' * 10**5)
        send(wire.encode_replies([fault] * len(calls())))
        wait()
    """)


@submission("")
def replies_with_odd_numbers() -> str:
    """Answers whose numbers are not finite, negative or huge, and whose values are no tensors."""
    return forging("""
        values = (float('nan'), -(2**62), 'x' * 1000, (None, (True, 'y')), torch.full((3,), math.inf), None)
        odd = [Answer(v, True, (), (), (), (), Cost(-1, -(2**62), -5)) for v in values]
        send(wire.encode_replies((odd * 100)[:len(calls())]))
        wait()
    """)


@submission("")
def never_replies() -> str:
    """Close the connection's descriptor under the worker and put nothing in its place."""
    return forging("os.dup2(os.open('/dev/null', os.O_RDWR), connection())\nwait()")


@submission("")
def replies_slowly() -> str:
    """A right header, a byte at a time, that never ends."""
    return forging("""
        data = wire.encode_replies([Answer(torch.ones(3))] * len(calls()))
        for byte in data[:200]:
            send(bytes([byte]))
            time.sleep(0.1)
    """)


@submission("")
def replies_before_it_is_asked() -> str:
    """Answers to messages that have not come yet, so that every later answer is to another call."""
    return forging("""
        if not sent:
            sent.append(1)
            for _ in range(20):
                send(wire.encode_replies([Answer(c.arguments[0].logsumexp(1)) for c in calls() if c]))
    """).replace("def log_mean_exp", "sent = []\ndef log_mean_exp")


@submission("")
def sends_descriptors() -> str:
    """A reply with descriptors beside it, which whoever receives would have to close."""
    return forging("""
        own = socket.socket(fileno=os.dup(connection()))
        for _ in range(50): socket.send_fds(own, [b'\\0'], [0] * 200)
        wait()
    """)


@submission("")
def listens_to_the_judge() -> str:
    """Read the messages to come from the connection itself, and answer the first of them."""
    return forging("""
        own = socket.socket(fileno=os.dup(connection()))
        own.settimeout(1)
        seen = own.recv(1 << 20)
        send(wire.encode_replies([Answer(torch.zeros(1))]))
    """)


@submission("")
def floods_the_connection() -> str:
    """Two hundred megabytes of replies."""
    return forging("""
        block = wire.encode_replies([Answer(torch.zeros(1 << 18, dtype=torch.float64))] * len(calls()))
        for _ in range(max(1, (200 << 20) // len(block))): send(block)
        wait()
    """)
