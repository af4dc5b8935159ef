"""Statements, circuits, proofs, contracts and their audit."""
