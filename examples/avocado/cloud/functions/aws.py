"""What the functions use of AWS. Clients are made once per process, which Lambda keeps for many
messages.
"""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# A service that does not answer is an error before Lambda ends the function after its 20 s, so that
# the function can still tidy up and say so.
CONNECT_S, ANSWER_S, TRIES = 2, 4, 2
PATIENCE = Config(
    connect_timeout=CONNECT_S,
    read_timeout=ANSWER_S,
    retries={"total_max_attempts": TRIES, "mode": "standard"},
)


@cache
def client(service):
    return boto3.client(service, config=PATIENCE)


@cache
def table(variable):
    """The DynamoDB table whose name is in this environment variable."""
    resource: Any = boto3.resource("dynamodb", config=PATIENCE)
    return resource.Table(os.environ[variable])


def holds(write, **arguments):
    """Write to a table under a condition. False if it does not hold, and nothing was written."""
    try:
        write(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
