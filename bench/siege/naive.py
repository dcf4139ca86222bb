"""The reference: a form as most are, which stores nothing, checks nothing, and mails whatever address it is given."""

from __future__ import annotations

import os
import smtplib
from email.message import EmailMessage

from flask import Flask, request

application = Flask("naive")
_PORT = int(os.environ["CONSENTLEDGER_MAIL_PORT"])


@application.post("/subscribe")
def subscribe() -> str:
    """Sends the mail of a double opt-in at once."""
    message = EmailMessage()
    message["From"], message["To"] = "news@naive.example", request.form["email"]
    message["Subject"] = "Please confirm"
    message.set_content("https://naive.example/confirm")
    with smtplib.SMTP("127.0.0.1", _PORT) as smtp:
        smtp.send_message(message)
    return "Check your mail"
