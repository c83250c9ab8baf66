"""Judging the same replies once: of properties that held, what was asked after which replies is remembered.

A verdict is a function of the inputs and of the replies. A judge of many submissions has the inputs once and sees the
same replies, byte for byte, again and again; then it need not decode, check and encode again.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b

from tests.support.properties import Attempt, Property, Topic

from . import wire
from .calls import Answer, Call, Fault
from .checks import Checks
from .inputs import Inputs
from .workers import Exchange, Raw, Replies

HELD = b"held"  # stands where the next message would, which is longer
MESSAGES = 256 << 20
CHAINS = 32 << 20
ENTRY = 200  # bytes that an entry of a dictionary takes beside its value


class Memory:
    """What to send next after some replies, by a chain of digests of those; what was not used for longest is forgotten.

    Messages are kept by digests of their own, as most checks ask the same whatever is replied.
    """

    def __init__(self, messages: int = MESSAGES, chains: int = CHAINS) -> None:
        """Remember nothing yet, and later so many bytes at most."""
        self._messages, self._next = _Recent(messages), _Recent(chains)

    def after(self, chain: bytes) -> bytes | None:
        """Return the message that follows, HELD where the property held, None where that is not known."""
        name = self._next.get(chain)
        return None if name is None else self._messages.get(name)

    def keep(self, steps: Iterable[tuple[bytes, bytes]]) -> None:
        """Remember what followed what in a conversation that ended well."""
        for chain, message in steps:
            name = _digest(message)
            self._messages.put(name, message)
            self._next.put(chain, name)

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return self._messages.size + self._next.size


class _Recent:
    """The entries that were used last, up to a number of bytes."""

    def __init__(self, limit: int) -> None:
        self._limit, self.size = limit, 0
        self._entries: OrderedDict[bytes, bytes] = OrderedDict()

    def get(self, key: bytes) -> bytes | None:
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        if self.get(key) is None:
            self._entries[key] = value
            self.size += ENTRY + len(value)
        while self.size > self._limit:
            self.size -= ENTRY + len(self._entries.popitem(last=False)[1])


def _digest(*parts: bytes | bytearray) -> bytes:
    """Return a digest of bytes of which all but the last have a length of their own."""
    digest = blake2b(digest_size=32)
    for part in parts:
        digest.update(part)
    return digest.digest()


class Recalled:
    """The messages about some inputs, as they are remembered for as long as the replies are known.

    At the first reply that is not, the checks run from the start on all replies until then, and go on themselves.
    """

    def __init__(
        self,
        value: Property,
        batch: Sequence[Inputs],
        exchange: Exchange,
        left: Callable[[], float],
        memory: Memory,
        place: int,
    ) -> None:
        """Ask about a batch of a property's inputs; its place among all batches of that property tells it apart."""
        self._value, self._batch, self._memory = value, batch, memory
        self._exchange, self._left = exchange, left
        self._chain = _digest(f"{value.full_name} {place}".encode())
        self._heard: list[Raw | Replies] = []  # while the checks sleep
        self._asked: list[tuple[bytes, bytes]] = []  # since they are awake
        self._answered = True
        self._checks: Checks | None = None

    def begin(self) -> Callable[[], Raw | Replies] | None:
        """Post the first message; None if there is nothing to ask."""
        return self._post()

    def go_on(self, reply: Raw | Replies) -> Callable[[], Raw | Replies] | None:
        """Take the reply to the last message and post the next; None if that was the last."""
        # Nothing ever follows an empty chain.
        self._chain = _digest(self._chain, reply) if isinstance(reply, (bytes, bytearray)) else b""
        if self._checks is None:
            self._heard.append(reply)
        else:
            self._hear(reply, self._checks)
        return self._post()

    def _post(self) -> Callable[[], Raw | Replies] | None:
        if self._checks is None:
            known = self._memory.after(self._chain)
            if known is not None:
                return self._exchange.post_message(known, self._left()) if known != HELD else None
            self._checks = self._awake()
        return self._ask(self._checks)

    def wake(self) -> None:
        """Run the checks on what was replied, also where that is known to be right: an attempt then has its calls."""
        if self._checks is None:
            self._checks = self._awake()

    def _awake(self) -> Checks:
        """Run the checks on all that was replied until now."""
        checks = Checks(self._value, self._batch)
        for reply in self._heard:
            self._hear(reply, checks)
        self._heard.clear()
        return checks

    def _hear(self, reply: Raw | Replies, checks: Checks) -> None:
        replies = reply if isinstance(reply, list) else self._exchange.read(reply, checks.calls)
        # What a function raises it raises again; that nobody answered in time may be another's fault.
        self._answered &= not any(isinstance(each, Fault) and each.kind != "raised" for each in replies)
        checks.go_on(replies)

    def _ask(self, checks: Checks) -> Callable[[], Raw | Replies] | None:
        """Post what the checks ask; at their end, remember what they asked if all held."""
        if not checks.calls:
            if self._answered and all(attempt.error is None for attempt in checks.attempts):
                self._memory.keep([*self._asked, (self._chain, HELD)])
            return None
        try:
            message = wire.encode_calls(checks.calls)
        except wire.WireError:
            return self._exchange.post(checks.calls, self._left())  # which tells why not
        self._asked.append((self._chain, message))
        return self._exchange.post_message(message, self._left())

    @property
    def attempts(self) -> list[Attempt]:
        """What became of every input; of one that is known to hold, that it did."""
        if self._checks is not None:
            return self._checks.attempts
        topic = Topic(self._value.part.split(".")[0], _never_asked)
        return [Attempt(self._value, inputs, topic, None) for inputs in self._batch]


def _never_asked(call: Call) -> Answer | Fault:
    raise AssertionError(f"{call.part} was asked after the end of a check")
