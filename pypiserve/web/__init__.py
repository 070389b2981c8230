"""HTTP: routes, handlers, forms, negotiation, problems. Decides nothing about rights, opens no transaction."""
