"""The HTTP interface: routes with their schemas beside them."""
