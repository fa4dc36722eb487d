"""What a network gets wrong, in words and pictures."""

from __future__ import annotations

import json

from vlga.ports.mistakes import Bin, Mistake, Mistakes
from vlga.report.mistakes import mistakes_html, mistakes_text, mistakes_tree

MISTAKES = Mistakes(
    ("cat", "dog", "owl"),
    ((3, 1, 0), (2, 2, 0), (0, 0, 0)),
    (Bin(8, 0.75, 0.625),),
    (Mistake(7, "dog", "cat", 0.9, b"PNG"), Mistake(1, "cat", "dog", 0.8, b"png")),
)


def test_the_least_accurate_class_comes_first():
    """With what its images are taken for; a class without images comes last."""
    assert mistakes_text(MISTAKES) == (
        "of 8 test images 3 wrong; accuracy 0.6250, mean confidence 0.7500, expected calibration "
        "error 0.1250\n"
        "\n"
        "class  images   right  taken for\n"
        "─────  ──────  ──────  ─────────\n"
        "dog         4  0.5000  cat (2)\n"
        "cat         4  0.7500  dog (1)\n"
        "owl         0       -  -\n"
        "\n"
        "most confident mistakes  is   taken for  confidence\n"
        "───────────────────────  ───  ─────────  ──────────\n"
        "test image 7             dog  cat            0.9000\n"
        "test image 1             cat  dog            0.8000"
    )


def test_of_many_classes_the_least_accurate_are_listed():
    n = 50
    confusion = tuple(tuple(int(row == column) for column in range(n)) for row in range(n))
    many = Mistakes(tuple(map(str, range(n))), confusion, (Bin(n, 1.0, 1.0),), ())

    assert mistakes_text(many).endswith("and 30 more classes, none less accurate")
    assert "most confident" not in mistakes_text(many)


def test_json_has_what_follows_from_the_counts():
    tree = mistakes_tree(MISTAKES)

    assert tree["class_accuracies"] == (0.75, 0.5, None)
    assert tree["calibration_error"] == 0.125
    assert json.loads(json.dumps(tree))["worst"][0]["taken_for"] == "cat"


def test_a_page_has_the_pictures_too():
    """Names of classes are text, whatever is in them."""
    classes = ("<cat>", "dog")
    worst = Mistake(0, "<cat>", "dog", 0.9, b"PNG")
    page = mistakes_html(Mistakes(classes, ((0, 1), (0, 0)), (Bin(1, 0.9, 0.0),), (worst,)))

    assert '<img src="data:image/png;base64,UE5H"' in page
    assert "&lt;cat&gt;<br>taken for dog<br>0.90" in page
    assert "<cat>" not in page
    assert "Of 1 test image 1 wrong" in page
    assert "<td>&lt;cat&gt;</td><td>0</td><td>1</td>" in page


def test_a_page_has_no_matrix_of_many_classes():
    n = 21
    confusion = tuple(tuple(int(row == column) for column in range(n)) for row in range(n))
    page = mistakes_html(Mistakes(tuple(map(str, range(n))), confusion, (Bin(n, 1.0, 1.0),), ()))

    assert "and 1 more class, none less accurate" in page
    assert "confusion matrix" not in page


def test_what_is_written_down_is_read_again():
    assert Mistakes.from_dict(json.loads(json.dumps(MISTAKES.to_dict()))) == MISTAKES
