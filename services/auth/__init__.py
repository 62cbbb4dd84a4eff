"""Who: accounts, sessions, roles, identity checks (KYC), and the record of who did what.

What this service owns and promises:

- An account belongs to one e-mail address, compared without regard to case. Nobody learns from an answer, or from the
  time it takes, whether an address has an account.
- Passwords are kept as argon2id hashes, computed on a bounded number of threads. Guessing is slowed down for each
  account and for each network address, and never locks the owner out for long.
- A login opens a session. Its access tokens are ES256 JWTs of 15 minutes at most that every service verifies by itself;
  its refresh token works once. An old one that comes back ends the session, except for a short grace in which a client
  whose answer was lost gets the same successor again.
- A second factor makes every login take two steps. Codes work once and are never stored or sent on readable; a code of an
  app is worth one use, in parallel too; a passkey answers only for our own site, whose address is configured.
- What a stolen token must not do wants a proof of the last ten minutes that the owner is there. A change of factors ends
  every other session and is written to the owner.
- Links in e-mails carry a secret that works once, is stored as a hash, and leads to the configured public address,
  never to the one in a request's Host header.
- Identity details are sealed before they reach the database.
- What was done to an account is written to an append-only log, in the transaction that does it.
"""
