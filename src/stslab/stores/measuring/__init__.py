"""How much a store finds, how fast and at what cost, and vectors to measure it with."""
