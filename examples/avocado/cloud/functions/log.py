"""One line of JSON per message in CloudWatch Logs: what became of it."""

import json
from decimal import Decimal


def line(outcome, **facts):
    print(json.dumps({"outcome": outcome, **facts}, default=plain))


def plain(value):
    """What JSON has no form for: DynamoDB's numbers, exceptions."""
    return float(value) if isinstance(value, Decimal) else str(value)
