"""What the player answers, to whom, and in which form: the table of routes, and how blueprints use it."""
