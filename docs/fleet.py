"""The arithmetic of docs/fleet.md: what 100,000 clusters ask of AWS, and what that costs.

    python -m docs.fleet        makes the tables anew

Rule: quotas and prices are assumptions, each with its source, in QUOTAS and PRICES; all else is
computed from them. Nothing of it was run.
"""

from pathlib import Path

from reporting.tables import refilled, table

PAGE = Path(__file__).resolve().parent / "fleet.md"

CLUSTERS = 100_000
BOARDS = 2 * CLUSTERS
INTERVAL_S = 900
MONTH_S = 365 * 86400 // 12
READINGS = CLUSTERS * MONTH_S // INTERVAL_S  # in a month; as many wakes of a primary
EVENTS = 4  # of a cluster in a month, published
MAILS = 2  # of these, mailed
LAMBDA_S, LAMBDA_GB = 0.05, 0.25  # a warm call, with 256 MB
LOG_BYTES = 750  # of a call: one line of ours, three of Lambda's
ITEM_BYTES = 350  # of a reading, with what DynamoDB adds to each item
WRITES = 4  # write units of a reading: fence and reading, each twice because of the transaction
GB = 10**9
MILLION = 10**6

# When the primaries of all clusters connect: situation -> seconds within which they do.
WINDOWS: dict[str, float] = {
    "phases spread over the interval": INTERVAL_S,
    "aimed at the quarter hour, clocks off by up to 5 %": INTERVAL_S * 0.1,
    "aimed at the quarter hour, clocks off by up to 1 %": INTERVAL_S * 0.02,
    "all started within 5 s, because mains power is back": 5,
}
CONNECTS = (500, 3000)  # a second and account: documented for long; by newer texts

API = "https://github.com/gruntwork-io/terraform-aws-utilities/blob/"
DUMP = f"[dump, 2024]({API}04f58839c5610804899dfcd815df374aea681ffd/docs/quotas.md)"
IOT = "[IoT Core](https://docs.aws.amazon.com/general/latest/gr/iot-core.html)"
SCALING = "[Lambda](https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html)"
THROTTLING = "[DynamoDB](https://repost.aws/knowledge-center/on-demand-table-throttling-dynamodb)"
SES = "[SES](https://docs.aws.amazon.com/ses/latest/dg/quotas.html)"


def per_second(window_s):
    """Connections, subscriptions and readings of all primaries in such a window: one each."""
    return CLUSTERS / window_s


RATE = per_second(INTERVAL_S)
PEAK = per_second(INTERVAL_S * 0.1)
# quota, default, adjustable, needed when spread, needed at a quarter hour with clocks off by 5 %
QUOTAS: list[tuple[str, str, str, float, float, str]] = [
    ("MQTT connects, 1/s", "500; 3,000 by newer texts", "yes", RATE, PEAK, f"{IOT}, {DUMP}"),
    ("connects of one client id, 1/s", "1", "no", 1 / INTERVAL_S, 1 / INTERVAL_S, IOT),
    ("subscriptions, 1/s", "500", "yes", RATE, PEAK, f"{IOT}, {DUMP}"),
    ("messages in, 1/s", "20,000; less in some regions", "yes", RATE, PEAK, f"{IOT}, {DUMP}"),
    ("rule evaluations, 1/s", "20,000", "yes", RATE, PEAK, DUMP),
    ("rules", "1,000", "yes", 2, 2, DUMP),
    ("retained messages", "500,000", "yes", 0, 0, DUMP),
    ("things registered by fleet provisioning, 1/s", "10", "yes", 0, 0, DUMP),
    ("Lambda, calls at the same time", "1,000", "yes", RATE * LAMBDA_S, PEAK * LAMBDA_S, DUMP),
    ("Lambda, more of them in 10 s", "1,000 a function", "no", 0, PEAK * LAMBDA_S, SCALING),
    ("DynamoDB, write units of a table, 1/s", "40,000", "yes", RATE * WRITES, PEAK * WRITES, DUMP),
    ("the same, of a table that is new", "4,000", "grows", RATE * WRITES, PEAK * WRITES,
     THROTTLING),
    ("write units of one partition, 1/s", "1,000", "no", WRITES / INTERVAL_S, WRITES / INTERVAL_S,
     THROTTLING),
    ("SES, mails a day", "200 in the sandbox, then by agreement", "yes",
     CLUSTERS * MAILS * 86400 / MONTH_S, CLUSTERS * MAILS * 86400 / MONTH_S, SES),
    ("SES, mails, 1/s", "1 in the sandbox, then by agreement", "yes",
     CLUSTERS * MAILS / MONTH_S, CLUSTERS * MAILS / MONTH_S, SES),
]  # fmt: skip

SEEN = "its page"
QUOTED = "as others quote it"
# name -> (USD, for so many, page of AWS, where the figure was seen)
PRICES: dict[str, tuple[float, int, str, str]] = {
    "minute connected": (0.08, MILLION, "iot-core/pricing/", SEEN),
    "MQTT message": (1.00, MILLION, "iot-core/pricing/", SEEN),
    "rule started": (0.15, MILLION, "iot-core/pricing/", QUOTED),
    "rule action": (0.15, MILLION, "iot-core/pricing/", QUOTED),
    "Lambda call": (0.20, MILLION, "lambda/pricing/", QUOTED),
    "Lambda GB-second": (0.0000133334, 1, "lambda/pricing/", QUOTED),
    "write unit": (0.625, MILLION, "dynamodb/pricing/on-demand/", QUOTED),
    "GB stored for a month": (0.25, 1, "dynamodb/pricing/on-demand/", QUOTED),
    "GB of logs": (0.50, 1, "cloudwatch/pricing/", "no source found"),
    "mail": (0.10, 1000, "ses/pricing/", QUOTED),
    "SQS request": (0.40, MILLION, "sqs/pricing/", QUOTED),
}


def usd(name, count):
    dollars, each, *_ = PRICES[name]
    return dollars * count / each


CALLS = READINGS + CLUSTERS * EVENTS  # of the two functions
# piece of AWS -> [(what is counted, how many in a month)], with names of PRICES
PIECES: dict[str, list[tuple[str, float]]] = {
    "IoT Core, connections": [("minute connected", READINGS)],
    "IoT Core, messages: connect, subscribe, publish": [
        ("MQTT message", 3 * READINGS + CLUSTERS * EVENTS)
    ],
    "IoT Core, rules": [("rule started", CALLS), ("rule action", CALLS)],
    "Lambda": [("Lambda call", CALLS), ("Lambda GB-second", CALLS * LAMBDA_S * LAMBDA_GB)],
    "DynamoDB, writes": [("write unit", READINGS * WRITES + 2 * CLUSTERS * EVENTS)],
    "DynamoDB, the 12th month's storage": [
        ("GB stored for a month", 12 * READINGS * ITEM_BYTES / GB)
    ],
    "CloudWatch, logs": [("GB of logs", CALLS * LOG_BYTES / GB)],
    "SES": [("mail", CLUSTERS * MAILS)],
}
SQS_BATCH = 10
# change -> USD more in a month, or less
CHANGES = {
    "publish by Basic Ingest, whose messages are not metered": -usd("MQTT message", READINGS),
    "subscribe once a day instead of at each wake": -usd("MQTT message", READINGS)
    * (1 - INTERVAL_S / 86400),
    "log refusals and failures only": -usd("GB of logs", READINGS * LOG_BYTES / GB),
    f"SQS before Lambda, read {SQS_BATCH} messages at a time": (
        usd("SQS request", READINGS * (1 + 2 / SQS_BATCH))
        - usd("Lambda call", READINGS * (1 - 1 / SQS_BATCH))
    ),
}


def cost(piece):
    return sum([usd(name, count) for name, count in PIECES[piece]])


# The tables


def rates():
    heads = ("situation", "within, s", "connects a second",
             *[f"times a quota of {quota:,}" for quota in CONNECTS])  # fmt: skip
    rows = []
    for situation, window_s in WINDOWS.items():
        rate = per_second(window_s)
        shares = [f"{rate / quota:.2g}" for quota in CONNECTS]
        rows.append((situation, f"{window_s:,.0f}", f"{rate:,.0f}", *shares))
    return table(heads, rows, 1)


def quotas():
    heads = ("per account and region", "default", "adjustable", "spread", "quarter hour", "source")
    rows = [(name, default, more, short(low), short(high), source)
            for name, default, more, low, high, source in QUOTAS]  # fmt: skip
    return table(heads, rows, 6)


def short(value):
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"


def costs():
    heads = ("piece", "units in a month", "USD a month", "cents a cluster")
    rows = []
    for piece, counted in PIECES.items():
        units = ", ".join([f"{name}: {amount(count)}" for name, count in counted])
        rows.append((piece, units, f"{cost(piece):,.0f}", f"{cost(piece) * 100 / CLUSTERS:.2f}"))
    total = sum([cost(piece) for piece in PIECES])
    rows.append(("**sum**", "", f"**{total:,.0f}**", f"**{total * 100 / CLUSTERS:.2f}**"))
    return table(heads, rows, 2)


def amount(count):
    return f"{count / MILLION:,.1f} million" if count >= MILLION else f"{count:,.0f}"


def prices():
    heads = ("price assumed", "USD", "for", "page", "seen")
    rows = [(name, f"{dollars:.10f}".rstrip("0").rstrip("."), f"{each:,}",
             f"[{page.split('/')[0]}](https://aws.amazon.com/{page})", seen)
            for name, (dollars, each, page, seen) in PRICES.items()]  # fmt: skip
    return table(heads, rows, 5)


def changes():
    heads = ("change", "USD a month")
    return table(heads, [(change, f"{more:+,.0f}") for change, more in CHANGES.items()], 1)


TABLES = {
    "rates": rates, "quotas": quotas, "costs": costs, "prices": prices, "changes": changes
}  # fmt: skip


def main():
    PAGE.write_text(refilled(PAGE.read_text("utf-8"), TABLES, PAGE.name), "utf-8")


if __name__ == "__main__":
    main()
