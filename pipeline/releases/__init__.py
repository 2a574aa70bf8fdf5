"""What an image and a zip hold, which content a version identifies, and what signs it."""
