"""How the house nets are made: labelled positions, then quantisation-aware training."""
