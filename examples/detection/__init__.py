"""Object detection with converted networks: images in, boxes out, and how good the boxes are."""
