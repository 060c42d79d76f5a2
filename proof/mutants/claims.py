"""Mistakes in who claims, and when a claim counts. Stands on mistake."""

from proof.mutants.mistake import Mistake

CLAIMS = (
    Mistake(
        "read-before-write",
        "a claim looks first and writes then, so two claims do not see each other",
        (
            (
                "node.py",
                "        self.write()\n        self.look()\n        self.load(False)\n",
                "        self.look()\n        self.load(False)\n        self.write()\n",
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
                "node.py",
                "        self.look()\n        self.load(False)\n",
                "        self.slots.view.token = self.mine.token\n",
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
            ("takeover.py", "+ 1 << 3 | 7 - me", "+ 1 << 3 | me"),
        ),
        "two nodes claim the same epoch",
        caught_by=("search", "claims, 3 nodes, 1 chip"),
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
        "no-new-epoch",
        "a primary that marks nodes dead keeps its token",
        (
            (
                "takeover.py",
                "        if not silent(mine, config.retries):\n"
                "            if noted and news(mine, noted):\n"
                "                yield from update(node)\n"
                "                yield from confirm(node)\n"
                "            return\n",
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
                "mine.primary = mine.spare = mine.strikes[mine.node] = 0",
                "mine.primary = mine.strikes[mine.node] = 0",
            ),
            ("rules.py", "            mine.spare ^= 1 << j\n", "            pass\n"),
            (
                "takeover.py",
                "mine.primary = mine.spare = mine.strikes[me] = 0",
                "mine.primary = mine.strikes[me] = 0",
            ),
        ),
        "reset_node, and the node it was for dies once more",
        caught_by=("search", "reset, 1 chip"),
    ),
    Mistake(
        "unconfirmed-beat",
        "a primary's beat relies on the look before its duty",
        (("node.py", "if self.leading or self.mine is None or", "if self.mine is None or"),),
        "another node claims in the second between a look (or confirm) and the beat",
        caught_by=("search", "replaced in its duty, 1 chip"),
    ),
)
