"""Which requests are answered: host, origin, user, forms and rates."""
