"""Mistakes in what a quorum is, and what takes one. Stands on mistake."""

from proof.mutants.mistake import Mistake

QUORUMS = (
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
        "no-quorum-behind",
        "a token is confirmed wherever it stands, be it on one chip of three",
        (("takeover.py", " and len(ids(view.fresh)) >= node.config.quorum:", ":"),),
        "three chips; a claim that reaches fewer than a quorum: a crash in it, silent chips",
        {"eeproms": 3, "owned": True},
        caught_by=("history", "321"),
    ),
    Mistake(
        "isolated-beats",
        "a node without a quorum counts looks and writes its beat to what it reaches",
        (
            (
                "node.py",
                "        if self.quorate():\n            new = self.load(False)\n",
                "        if self.quorate() or view.good:\n            new = self.load(False)\n",
            ),
            (
                "node.py",
                "            if may_lead(mine, view, config, counted):\n",
                "            if self.quorate() and may_lead(mine, view, config, counted):\n",
            ),
            (
                "node.py",
                "        if self.quorate():\n            mine = self.mine\n            due =",
                "        if self.mine:\n            mine = self.mine\n            due =",
            ),
        ),
        "three chips; a primary that reaches one of them",
        {"eeproms": 3},
        caught_by=("search", "isolated"),
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
)
