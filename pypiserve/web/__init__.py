"""The HTTP interface: routes, handlers and what they need to read and write requests."""
