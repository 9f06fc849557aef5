"""Reads reports with Python's email package, which knows nothing of us, and prints what it found as JSON."""

import email
import email.policy
import json
import sys


def fields(message):
    return [[name.lower(), " ".join(str(value).split())] for name, value in message.items()]


def judge(path):
    with open(path, "rb") as file:
        raw = file.read()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    text, status, original = message.get_payload()
    # Python takes a global-delivery-status for one message: its groups are parted by hand.
    groups = status.get_payload()
    if status.get_content_type() == "message/global-delivery-status":
        part = raw.split(b"message/global-delivery-status", 1)[1].split(b"\r\n\r\n", 1)[1]
        part = part.split(b"\r\n--", 1)[0]
        groups = [
            email.message_from_bytes(group, policy=email.policy.default)
            for group in part.split(b"\r\n\r\n")
        ]
    return {
        "defects": [str(d) for p in message.walk() for d in p.defects],
        "headerDefects": [f"{n}: {d}" for n, v in message.items() for d in v.defects],
        "type": message.get_content_type(),
        "reportType": message.get_param("report-type"),
        "to": str(message["To"]),
        "messageId": str(message["Message-ID"]),
        "autoSubmitted": str(message["Auto-Submitted"]),
        "parts": [p.get_content_type() for p in (text, status, original)],
        "text": text.get_content(),
        "groups": [fields(group) for group in groups if len(group) > 0],
        "longest": max(len(line) for line in raw.split(b"\r\n")),
        "bare": raw.count(b"\n") - raw.count(b"\r\n") + raw.count(b"\r") - raw.count(b"\r\n"),
        "seven": all(octet < 128 for octet in raw),
    }


print(json.dumps({path: judge(path) for path in sys.argv[1:]}))
