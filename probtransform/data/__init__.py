"""Where examples come from: prepared sets, files of one's own, and toys whose density is known."""
