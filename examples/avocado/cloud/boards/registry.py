"""The things of a cluster in AWS IoT Core, and their certificates."""

import ssl
import time
from collections.abc import Callable
from typing import Any

import boto3
import click

from . import stop

MADE_BY = "eecluster-avocado"  # attribute of our things: others are not touched
DETACHING_S = 30  # AWS needs some seconds until what was detached may be deleted


class Registry:
    """`made`: what `create` has made so far, in words. Errors are botocore's, if not said."""

    def __init__(self, cluster: str):
        self.iot = boto3.client("iot")
        self.policy = f"{cluster}_board"  # template.yaml makes it
        self.made: list[str] = []

    def check_policy(self) -> None:
        try:
            self.iot.get_policy(policyName=self.policy)
        except self.iot.exceptions.ResourceNotFoundException:
            stop(
                f"there is no IoT policy {self.policy} in {self.iot.meta.region_name}:"
                " run `make deploy` first, with the same config.json and region"
            )

    def endpoint(self) -> str:
        return self.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]

    def find(self, thing: str) -> tuple[bool, list[str]] | None:
        """Whether the thing is ours, and its certificates' ARNs. None: there is none."""
        try:
            attributes = self.iot.describe_thing(thingName=thing)["attributes"]
        except self.iot.exceptions.ResourceNotFoundException:
            return None
        certificates = self.iot.list_thing_principals(thingName=thing)["principals"]
        return attributes.get("made_by") == MADE_BY, certificates

    def create(self, thing: str, request: bytes) -> bytes:
        """The thing, with a certificate for this request (PEM): the certificate, DER."""
        attributes = {"attributes": {"made_by": MADE_BY}}
        self.iot.create_thing(thingName=thing, attributePayload=attributes)
        self.made.append(f"thing {thing}")
        answer = self.iot.create_certificate_from_csr(
            certificateSigningRequest=request.decode(), setAsActive=True
        )
        arn, number = answer["certificateArn"], answer["certificateId"]
        self.made.append(loose(number))
        self.iot.attach_thing_principal(thingName=thing, principal=arn)
        self.made[-1] = f"certificate {number} of {thing}"
        self.iot.attach_policy(policyName=self.policy, target=arn)
        return ssl.PEM_cert_to_DER_cert(answer["certificatePem"])

    def remove(self, thing: str, certificates: list[str]) -> None:
        """Delete the certificates, then the thing. Says so as it goes."""
        for arn in certificates:
            number = arn.rpartition("/")[2]
            self.iot.update_certificate(certificateId=number, newStatus="INACTIVE")
            for policy in self.iot.list_attached_policies(target=arn)["policies"]:
                self.iot.detach_policy(policyName=policy["policyName"], target=arn)
            self.iot.detach_thing_principal(thingName=thing, principal=arn)
            self.eventually(self.iot.delete_certificate, certificateId=number)
            click.echo(f"deleted certificate {number}")
        self.eventually(self.iot.delete_thing, thingName=thing)
        click.echo(f"deleted thing {thing}")

    def eventually(self, delete: Callable[..., Any], **arguments: Any) -> None:
        """Delete what was detached a moment ago, as soon as AWS lets us."""
        errors = self.iot.exceptions
        deadline_s = time.monotonic() + DETACHING_S
        while True:
            try:
                delete(**arguments)
                return
            except (errors.DeleteConflictException, errors.InvalidRequestException):
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(1)


def loose(number: str) -> str:
    """A certificate that no thing leads to: `remove` cannot find it."""
    return (
        f"certificate {number}, of no thing; delete it in the console, or by\n"
        f"    aws iot update-certificate --certificate-id {number} --new-status INACTIVE\n"
        f"    aws iot delete-certificate --certificate-id {number}"
    )
