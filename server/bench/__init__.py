"""Benches and campaigns: a whole server is started, played against, and measured or hurt."""
