"""vlga: finds a good convolutional network for images by evolution."""

__version__ = "0.1.0"
