"""A form's file lies in the company's folder, whoever fills it in."""

from pathlib import Path

import pytest

from flows.form import in_folder


@pytest.mark.requirement("R110", "R122")
@pytest.mark.parametrize("file", ["/etc/passwd", "../other/review.xlsx", "sub/../../review.xlsx"])
def test_a_form_reaches_no_file_outside_the_companys_folder(repository: Path, file: str) -> None:
    with pytest.raises(LookupError, match="公司文件夹"):
        in_folder(repository / "examples" / "grocer", Path(file))


def test_a_file_inside_is_the_file(repository: Path) -> None:
    grocer = repository / "examples" / "grocer"
    assert in_folder(grocer, Path("review.xlsx")) == grocer / "review.xlsx"
