"""The readings table and its fence: a reading is stored unless a higher token has been seen.

The fence is an item of the ledger, the highest token of the cluster so far. It is raised, and the
reading stored, in one transaction. So whatever the order in which messages arrive, no reading of an
old primary is stored once one of its successor's is. The whole token counts, not its epoch alone:
two nodes may claim one epoch, and the lower numbered one has the higher token.
"""

import aws

UNMET = "ConditionalCheckFailed"


def put(reading):
    """Store a reading. What became of it:

    stored       it is in the table, and the fence is at least its token
    redelivered  MQTT or Lambda brings this very message again, perhaps when its token is old
    stale        its token is lower than the fence
    duplicate    the slot is taken: by another reading, or by this one that its board sent again
                 with a new token. The fence is raised all the same
    """
    client = aws.table("READINGS_TABLE").meta.client
    writes = [{"Update": raising(reading)}, {"Put": storing(reading)}]
    try:
        client.transact_write_items(TransactItems=writes)
        return "stored"
    except client.exceptions.TransactionCanceledException as error:
        if UNMET not in [reason["Code"] for reason in error.response["CancellationReasons"]]:
            raise  # another transaction was in the way, or the table is busy: try again later
    stored = read("READINGS_TABLE", place(reading))
    if all(stored.get(name) == reading[name] for name in ("node", "token", "sequence")):
        return "redelivered"
    return "duplicate" if raise_fence(reading) else "stale"


def fence(cluster):
    """The highest token seen, or 0."""
    return int(read("LEDGER_TABLE", {"key": f"{cluster}#fence"}).get("token", 0))


def raise_fence(reading):
    """Raise the fence alone: the token of a duplicate counts too. False if it is higher."""
    write = raising(reading)
    del write["TableName"]  # the table knows its name
    return aws.holds(aws.table("LEDGER_TABLE").update_item, **write)


def raising(reading):
    return {
        "TableName": aws.table("LEDGER_TABLE").name,
        "Key": {"key": f"{reading['cluster']}#fence"},
        "UpdateExpression": "SET #token = :token, #thing = :thing",
        "ConditionExpression": "attribute_not_exists(#token) OR #token <= :token",
        "ExpressionAttributeNames": {"#token": "token", "#thing": "thing"},
        "ExpressionAttributeValues": {":token": reading["token"], ":thing": reading["thing"]},
    }


def storing(reading):
    names = ("node", "token", "epoch", "sequence", "celsius", "taken_at", "rom")
    item = {name: reading[name] for name in names}
    item.update(place(reading), received_at=reading["received_at_s"])
    return {
        "TableName": aws.table("READINGS_TABLE").name,
        "Item": item,
        "ConditionExpression": "attribute_not_exists(slot)",
    }


def place(reading):
    return {"series": f"{reading['cluster']}#{reading['sensor']}", "slot": reading["slot"]}


def read(variable, key):
    return aws.table(variable).get_item(Key=key, ConsistentRead=True).get("Item", {})
