"""The store's migrations; server/store.py runs those that are missing whenever it opens one."""
