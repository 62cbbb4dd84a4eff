"""What services tell each other: the wire shapes of events and commands, by the service that owns them.

Payloads hold primitives only. Within a version only optional fields are added; anything else is a new version.
`docs/events/` is generated from here.
"""
