"""The arena: websocket server, page and command line."""
