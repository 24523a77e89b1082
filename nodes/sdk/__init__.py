"""The contract between Callweave and the nodes that flows are made of."""
