"""Notifications: telling people what happened.

Owns the in-app feed, the e-mails and text messages that the platform sends, and its own copy of where people can be reached.
It consumes what the other services announce (`announcements.py` says who is told what, and how) and the commands
`notifications.email.send` and `notifications.sms.send` for links and codes that only their addressee may see.

Promises: an event about a person becomes one feed row and at most one e-mail, however often it is delivered. An e-mail
is written in the transaction that handles the event and sent after it, at least once: when the mail server's answer
is lost, the same message with the same Message-ID is sent again. No other service waits for this one.
"""
