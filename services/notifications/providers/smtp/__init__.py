"""E-mail through an SMTP server: a relay of the operator, a mail provider, or the mailbox of local mode."""
