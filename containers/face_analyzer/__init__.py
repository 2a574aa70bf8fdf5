"""Find the faces of a photo, describe them if asked, and draw what is asked for."""
