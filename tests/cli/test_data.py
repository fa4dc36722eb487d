import csv
import io

from tests.support.command import vlga


class TestData:
    def test_known_data_sets_are_listed(self):
        """What is built in, and what is not here; how to bring one's own is said aside."""
        table = vlga("data", "list")
        rows = vlga("data", "list", "--format", "json").json
        text = vlga("data", "list", "--format", "csv").out

        assert [line.split()[0] for line in table.out.splitlines()[2:]] == [
            "digits", "mnist", "fashion-mnist", "cifar10", "cifar100", "svhn",
        ]  # fmt: skip
        assert (
            "or your own: --data images.npz (x_train y_train [x_val y_val] [x_test y_test])"
            in table.err
        )
        assert rows[0] == {
            "name": "digits", "shape": "1x8x8", "classes": 10, "train": 1797, "test": 0,
            "found": "built in",
        }  # fmt: skip
        assert [row["name"] for row in csv.DictReader(io.StringIO(text))] == [
            row["name"] for row in rows
        ]

    def test_files_are_looked_for_where_one_says(self, home):
        """An empty folder has none of the published ones."""
        rows = vlga("data", "list", "--data-dir", str(home), "--format", "json").json

        assert {row["found"] for row in rows} == {"built in", None}
