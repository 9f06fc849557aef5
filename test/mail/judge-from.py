"""Reads From fields with Python's email package: a JSON list of values in, a JSON list of address lists out."""

import email
import email.policy
import json
import sys


def judge(value):
    message = email.message_from_string(f"From: {value}\n\n", policy=email.policy.default)
    try:
        return [address.addr_spec for address in message["From"].addresses]
    except (AttributeError, TypeError):
        # Its parser falls over a dot at the end of a display name.
        return None


print(json.dumps([judge(value) for value in json.load(sys.stdin)]))
