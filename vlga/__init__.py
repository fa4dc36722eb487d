"""vlga: finds a good convolutional network for images by evolution."""
