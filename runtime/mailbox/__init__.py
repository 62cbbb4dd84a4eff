"""The local mailbox: catches every e-mail that the platform sends on a laptop, so that none leaves it.

An SMTP server on the loopback interface (`smtp`), files in the data directory (`letters`), and pages to read them at
`/mailbox` (`app`), as JSON too for tests and scripts. Local mode only: what it shows is private mail.
"""
