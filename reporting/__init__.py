"""What searches, long runs and measurements share: how their results are kept and shown.

    fingerprint    of the code that a result belongs to
    tables         tables in pages of docs/, made from results

Results stand in docs/data as JSON. Stands on nothing, below proof, bench and soak.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "docs" / "data"
