"""Vision: networks that look at images."""
