"""Plausible mistakes in the library, as data: what is wrong, and the lines to change.

Rule: a mistake is one that somebody could make in exactly this code; it is no crash, and a cluster
in which nothing happens still works with it. Each `old` stands once in its file, so that the table
cannot rot unnoticed. `proof.mutants` applies them.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    patch      (file in src/eecluster, old text, new text), in this order
    where      what it takes to see it: a configuration, or faults
    config     that configuration, as arguments of `cluster_kit.Kit`
    caught_by  what finds it: `python -m proof.` this, with these arguments
    """

    name: str
    wrong: str
    patch: tuple[tuple[str, str, str], ...]
    where: str
    config: dict[str, Any] = field(default_factory=dict)
    caught_by: tuple[str, ...] = ()


MISTAKES = (
    Mistake(
        "read-before-write",
        "a claim looks first and writes then, so two claims do not see each other",
        (
            (
                "lead.py",
                "    node.write()\n    node.look()\n    node.load(False)\n",
                "    node.look()\n    node.load(False)\n    node.write()\n",
            ),
        ),
        "another node claims between the look and the write",
        caught_by=("search", "claims, 3 nodes, 1 chip"),
    ),
    Mistake(
        "no-read-after-write",
        "a claim is taken for confirmed because it was written",
        (
            (
                "lead.py",
                "    node.look()\n    node.load(False)\n",
                "    node.slots.view.token = node.mine.token\n",
            ),
        ),
        "another node claims between the first look and the write",
        caught_by=("search", "claims, 3 nodes, 1 chip"),
    ),
    Mistake(
        "tie-to-highest",
        "the token ends in the node, not in 7 - node: of two claims the highest node's wins",
        (
            ("layout.py", "return 7 - (token & 7)", "return token & 7"),
            ("lead.py", "+ 1 << 3 | 7 - me", "+ 1 << 3 | me"),
        ),
        "two nodes claim the same epoch",
        caught_by=("search", "claims, 3 nodes, 1 chip"),
    ),
    Mistake(
        "reset-loop",
        "looks that follow each other too fast count as well",
        (
            (
                "rules.py",
                "        if 0 <= passed * 8 < config.interval * 7:\n            return False\n",
                "",
            ),
        ),
        "an interval, and a board that looks more often than that",
        {"interval": 900},
        caught_by=("history", "0"),
    ),
    Mistake(
        "one-strike",
        "retries are forgotten: the first look without a beat is the last",
        (
            ("rules.py", "[run > retries for run in mine.runs]", "[run > 0 for run in mine.runs]"),
            ("rules.py", "mine.runs[p] - config.retries if counted", "mine.runs[p] if counted"),
        ),
        "a beat that comes late, or is missed, with retries >= 1",
        caught_by=("search", "returns, 2 boards, 1 chip"),
    ),
    Mistake(
        "no-crc",
        "a slot is valid if its place is right",
        (
            (
                "layout.py",
                "data[PLACE_AT] == node << 4 | k and data[CRC_AT:PLACE_AT] == self.crc(data, node)",
                "data[PLACE_AT] == node << 4 | k",
            ),
        ),
        "a torn page of which some bytes are new, or a bit that rots",
        {"owned": True},
        caught_by=("search", "returns, 2 boards, 1 chip"),
    ),
    Mistake(
        "one-page",
        "both copies of a slot lie in one page, and one torn write damages both",
        (("layout.py", "stride = max(page_size, 64)", "stride = 64"),),
        "pages of 128 bytes or more (a slot has 43 to 64), one chip, a write torn to all 0xFF",
        {"part": "AT24C512", "eeproms": 1, "owned": True},
        caught_by=("history", "4"),
    ),
    Mistake(
        "newer-first",
        "a write goes over the newer of the two copies",
        (("slots.py", "self.target[k] = i ^ 1", "self.target[k] = i"),),
        "one chip, and a torn write soon after a claim",
        {"eeproms": 1, "owned": True},
        caught_by=("search", "returns, 2 boards, 1 chip"),
    ),
    Mistake(
        "revision-16-bits",
        "the newer copy is told by the lower 16 bits of the revision",
        (("layout.py", "return revision, token, -", "return revision & 0xFFFF, token, -"),),
        "a cluster whose revisions are just below 65536",
        caught_by=("history", "17"),
    ),
    Mistake(
        "blank-counts",
        "a chip without a valid slot counts for the quorum at once",
        (
            (
                "node.py",
                "        good = len(ids(view.good))\n",
                "        good = len(ids(view.good | view.empty))\n",
            ),
        ),
        "a quorum of one chip that missed the last claim and one that was swapped for a blank one",
        {"eeproms": 3},
        caught_by=("search", "blank quorum"),
    ),
    Mistake(
        "any-quorum",
        "with three chips one is enough to lead",
        (
            (
                "config.py",
                "        self.layout = Layout(",
                "        label_quorum = self.quorum\n"
                "        self.quorum = self.quorum if count > 3 else 1\n"
                "        self.layout = Layout(",
            ),
            ("config.py", "cluster_id, self.quorum, size", "cluster_id, label_quorum, size"),
        ),
        "three chips, and a cut between them",
        {"eeproms": 3},
        caught_by=("search", "blank quorum"),
    ),
    Mistake(
        "dead-may-claim",
        "who is marked dead takes over as soon as a member would",
        (
            (
                "rules.py",
                "    if mine.dead >> me & 1:\n"
                "        if mine.spare >> me & 1:  # reset_node() on this board itself\n"
                "            return strikes > 0\n"
                "        return config.readmit and strikes > config.readmit\n",
                "",
            ),
        ),
        "a dead node is back, and the primary stands down, or is silent for retries + 1 looks",
        caught_by=("search", "returns, 2 boards, 1 chip"),
    ),
    Mistake(
        "no-quorum-behind",
        "a token is confirmed wherever it stands, be it on one chip of three",
        (("lead.py", " and len(ids(view.fresh)) >= node.config.quorum:", ":"),),
        "three chips; a claim that reaches fewer than a quorum: a crash in it, silent chips",
        {"eeproms": 3, "owned": True},
        caught_by=("search", "claim breaks off"),
    ),
    Mistake(
        "newest-record-only",
        "the token is the highest of each node's newest record; older copies are not asked",
        (
            ("slots.py", "        view.token = max(view.token, rank[1])\n", ""),
            (
                "slots.py",
                "                view.records[node] = self.layout.unpack(newest[1], node)\n",
                "                view.records[node] = self.layout.unpack(newest[1], node)\n"
                "                view.token = max(view.token, newest[0][1])\n",
            ),
        ),
        "a node writes often to one chip while the other is away, then claims on the other alone "
        "(fewer writes), then both are back: its newest record has the older token",
        caught_by=("search", "older copy"),
    ),
    Mistake(
        "repairs-others",
        "a look that finds a chip without another node's newest record writes it there",
        (
            (
                "slots.py",
                "is neither good nor empty\n",
                "is neither good nor empty\n"
                "        self.there = {}  # (EEPROM, node): its highest revision, in which copy\n",
            ),
            (
                "slots.py",
                "        newest = max(self.rank)\n",
                "        for k in ids(view.good):\n"
                "            for record in view.records:\n"
                "                if record and record.node != self.node:\n"
                "                    self.repair(k, record)\n"
                "        newest = max(self.rank)\n",
            ),
            (
                "slots.py",
                "            return self.head[PLACE_AT - HEAD_AT] != BLANK != self.head[0]\n",
                "            if self.head[PLACE_AT - HEAD_AT] != BLANK:\n"
                "                self.note(k, i, self.head[:4])\n"
                "            return self.head[PLACE_AT - HEAD_AT] != BLANK != self.head[0]\n",
            ),
            (
                "slots.py",
                "        rank = self.layout.rank(slot)\n",
                "        rank = self.layout.rank(slot)\n        self.note(k, i, slot[4:8])\n",
            ),
            (
                "slots.py",
                "    def check(self, k):\n",
                "    def note(self, k, i, revision):\n"
                "        there = self.view.there\n"
                "        found = bytes(revision), i\n"
                "        there[k, i >> 1] = max(there.get((k, i >> 1), found), found)\n"
                "\n"
                "    def repair(self, k, record):\n"
                "        layout = self.layout\n"
                "        slot = self.slot\n"
                "        place = k, record.node\n"
                '        revision, i = self.view.there.get(place, (b"", 2 * record.node + 1))\n'
                '        if revision != record.revision.to_bytes(4, "big"):\n'
                "            layout.pack(record, slot)\n"
                "            slot[PLACE_AT] |= k\n"
                "            for at in range(0, layout.size, len(layout.blank)):\n"
                "                page = slot[at : at + len(layout.blank)]\n"
                "                self.attempt(self.write, k, layout.slots[i ^ 1] + at, page)\n"
                "\n"
                "    def check(self, k):\n",
            ),
        ),
        "a chip that missed a write of another node",
        caught_by=("search", "repair"),
    ),
    Mistake(
        "isolated-beats",
        "a node without a quorum writes its beat to what it reaches",
        (
            (
                "cluster.py",
                "            if node.quorate():\n                beat(",
                "            if node.slots.view.good:\n"
                "                if node.mine is None:\n"
                "                    node.load(False)\n"
                "                beat(",
            ),
        ),
        "three chips; a primary that reaches one of them",
        {"eeproms": 3},
        caught_by=("search", "isolated"),
    ),
    Mistake(
        "half-interval",
        "looks count from half the interval on, not from 7/8 of it",
        (("rules.py", "< config.interval * 7:", "< config.interval * 4:"),),
        "an interval, and a board that looks a little too early",
        {"interval": 900},
        caught_by=("history", "0"),
    ),
    Mistake(
        "no-new-epoch",
        "a primary that marks nodes dead keeps its token",
        (
            (
                "lead.py",
                "        if not silent(mine, config.retries):\n            return\n",
                "        mine.dead |= silent(mine, config.retries)\n        return\n",
            ),
        ),
        "a node falls silent that is not the primary",
        caught_by=("search", "returns, 2 boards, 1 chip"),
    ),
    Mistake(
        "request-stays",
        "a request of reset_node is neither dropped with the token nor when it is fulfilled",
        (
            (
                "rules.py",
                "mine.primary = mine.spare = mine.runs[mine.node] = mine.released = 0",
                "mine.primary = mine.runs[mine.node] = mine.released = 0",
            ),
            ("rules.py", "            mine.spare ^= 1 << j\n", "            pass\n"),
            (
                "lead.py",
                "mine.primary = mine.spare = mine.runs[me] = mine.released = 0",
                "mine.primary = mine.runs[me] = mine.released = 0",
            ),
        ),
        "reset_node, and the node it was for dies once more",
        caught_by=("search", "reset, 1 chip"),
    ),
    Mistake(
        "unconfirmed-beat",
        "a primary's beat relies on the look before its duty",
        (("cluster.py", "if node.leading or node.mine is None or", "if node.mine is None or"),),
        "another node claims in the second between a look (or confirm) and the beat",
        caught_by=("search", "replaced in its duty, 1 chip"),
    ),
    Mistake(
        "cold-start-breaks-off",
        "a look counts only if the EEPROMs with a slot are a quorum, or if all are without one",
        (
            (
                "node.py",
                "        return good >= quorum or empty >= "
                "min(quorum, len(self.slots.addresses) - quorum + 1)\n",
                "        return good >= quorum or empty == len(self.slots.addresses)\n",
            ),
        ),
        "three chips, and a crash in the first write of all",
        {"eeproms": 3},
        caught_by=("search", "cold start, 2 boards, 3 chips"),
    ),
    Mistake(
        "never-taken-back",
        "a dead node that beats again stays dead",
        (
            (
                "lead.py",
                "bits([config.readmit and run <= -config.readmit for run in mine.runs])",
                "0",
            ),
        ),
        "a node that comes back",
        caught_by=("search", "returns, 2 boards, 1 chip"),
    ),
    Mistake(
        "strikes-stay",
        "a new beat takes one strike away instead of all",
        (("rules.py", "max(-127, min(run, 0) - 1)", "max(-127, run - 1)"),),
        "a node that was silent twice",
        caught_by=("search", "returns, 2 boards, 1 chip"),
    ),
)
