"""Mistakes in records: which are valid, which is the newest, where they go. Stands on mistake."""

from proof.mutants.mistake import Mistake

RECORDS = (
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
        "pages of 128 bytes or more (a slot has 50 to 64), one chip, a write torn to all 0xFF",
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
                "                    self.repair(k, record, view)\n"
                "        newest = max(self.rank)\n",
            ),
            (
                "slots.py",
                "            return self.head[PLACE_AT - HEAD_AT] != BLANK != self.head[0]\n",
                "            if self.head[PLACE_AT - HEAD_AT] != BLANK:\n"
                "                self.note(k, i, self.head[:4], view)\n"
                "            return self.head[PLACE_AT - HEAD_AT] != BLANK != self.head[0]\n",
            ),
            (
                "slots.py",
                "        rank = self.layout.rank(slot)\n",
                "        rank = self.layout.rank(slot)\n        self.note(k, i, slot[4:8], view)\n",
            ),
            (
                "slots.py",
                "    def check(self, k):\n",
                "    def note(self, k, i, revision, view):\n"
                "        there = view.there\n"
                "        found = bytes(revision), i\n"
                "        there[k, i >> 1] = max(there.get((k, i >> 1), found), found)\n"
                "\n"
                "    def repair(self, k, record, view):\n"
                "        layout = self.layout\n"
                "        slot = self.slot\n"
                "        place = k, record.node\n"
                '        revision, i = view.there.get(place, (b"", 2 * record.node + 1))\n'
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
)
