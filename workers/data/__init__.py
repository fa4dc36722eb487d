"""The images of a search: where they come from and how they are split."""

from workers.data.dataset import Dataset
from workers.data.known import KnownDataset, is_known, known_datasets
from workers.data.load import is_image_folder, load_dataset, split_dataset

__all__ = [
    "Dataset",
    "KnownDataset",
    "is_image_folder",
    "is_known",
    "known_datasets",
    "load_dataset",
    "split_dataset",
]
