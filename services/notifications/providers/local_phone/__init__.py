"""Text messages on a laptop: each becomes an e-mail, which the local mailbox shows. Refused in production."""
