"""The edge: the one address that clients talk to.

It owns the public address space: which path belongs to which service, who may call it, how often, how large and how
long. It promises that what it forwards was matched exactly as it is sent, carries no header that a client could have
forged about itself, and is answered with a problem document when a service is slow, broken or away. It has no business
logic and no database; services check tokens again and trust nothing that the gateway did not have to know.

`routes` is the table, `proxy` the way a request takes, `pages` the gateway's own addresses.
"""
