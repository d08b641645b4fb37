"""What the program asks of the outside: promises that a contract suite holds every adapter to."""
