"""Checks that every acknowledged message was delivered exactly once and in order. One ledger for each conversation."""


class Ledger:
    """Records what each connection received, in order. ``problems`` is empty as long as all promises are kept."""

    def __init__(self, members: dict[int, int]) -> None:
        """Start with the sequence number that each member's connection has already reached."""
        self.reached = dict(members)
        self.acked = 0
        self.problems: list[str] = []
        self._names: dict[int, str] = {}
        self._acked_seqs: set[int] = set()

    def saw(self, member: int, seq: int, client_message_id: str) -> None:
        """Record a new message at the position at which this member's connection received it."""
        before = self.reached[member]
        if seq != before + 1:
            self.problems.append(f"member {member} got number {seq} after {before}")
        self.reached[member] = seq
        if self._names.setdefault(seq, client_message_id) != client_message_id:
            self.problems.append(f"number {seq} is {self._names[seq]} for some and {client_message_id} for {member}")

    def saw_ack(self, member: int, seq: int, client_message_id: str, *, duplicate: bool) -> None:
        """Record an acknowledgement. It has its position among the messages on the sender's connection."""
        if duplicate:
            self.problems.append(f"{client_message_id} was sent once and called a duplicate")
        self.saw(member, seq, client_message_id)
        if seq in self._acked_seqs:
            self.problems.append(f"number {seq} was acknowledged twice")
        self._acked_seqs.add(seq)
        self.acked += 1

    @property
    def last_seq(self) -> int:
        """The highest number that any connection saw."""
        return max(self.reached.values())

    def everyone_has_everything(self) -> bool:
        """Return whether all members' connections have reached the same number."""
        last = self.last_seq
        return all(seq == last for seq in self.reached.values())

    def verdict(self) -> list[str]:
        """Return every broken promise, when no more frames will arrive."""
        found = list(self.problems)
        last = self.last_seq
        found += [
            f"member {member} got nothing after {seq} of {last}" for member, seq in self.reached.items() if seq != last
        ]
        lost = [name for seq, name in self._names.items() if seq not in self._acked_seqs]
        found += [f"{name} was delivered and never acknowledged to its sender" for name in lost]
        return found
