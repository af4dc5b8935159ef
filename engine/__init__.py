"""Chess as the net sees it: encoding, policy map, integer nets, players."""
