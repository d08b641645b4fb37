"""What the program needs from outside, as promises; a contract suite tests every adapter against them."""
