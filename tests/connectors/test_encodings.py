"""Encodings that Chinese systems write, told apart by what common Chinese looks like in them, also in small files."""

from pathlib import Path

import pytest

from connectors.sources import SourceUnreadable, read
from tests.connectors.test_sources_read import Source

SIMPLIFIED = [
    "会员卡号,姓名,手机,地区\n1,王芳,13912345678,上海市\n",
    "id,name\n1,李伟\n",
    "编号,公司\n1,杭州某某有限公司\n2,广州贸易\n",
    "姓名,城市\n陈雅欣,杭州\n",
    "客户,备注\n鑫淼科技,请尽快联系\n",
    "id,氏名\n1,赵\n",
]
TRADITIONAL = [
    "會員卡號,姓名,電話號碼,電子郵件\n1,陳雅欣,臺北市,請勿聯絡\n",
    "姓名,電話\n王小明,0912345678\n",
    "id,name,city\n1,林志玲,台北\n2,張學友,高雄\n",
    "編號,公司\n1,台積電股份有限公司\n2,鴻海精密工業\n",
]


def text_of_cells(path: Path, encoding: str = "auto") -> str:
    table = read(path, Source("csv", encoding)).drop_columns(["source_row"])
    lines = [table.column_names, *[list(row.values()) for row in table.to_pylist()]]
    return "".join(",".join(line) + "\n" for line in lines)


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("times", [1, 200])
@pytest.mark.parametrize(
    ("codec", "text"), [*[("gb18030", each) for each in SIMPLIFIED], *[("cp950", each) for each in TRADITIONAL]]
)
def test_auto_tells_gb18030_from_big5(tmp_path: Path, codec: str, text: str, times: int) -> None:
    head, _, body = text.partition("\n")
    many = f"{head}\n{body * times}"
    path = tmp_path / "m.csv"
    path.write_bytes(many.encode(codec))
    assert text_of_cells(path) == many


def test_the_first_chinese_character_may_come_late(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    text = "id,name\n" + "1,Smith\n" * 60_000 + "2,王小明\n3,上海的客户\n"
    path.write_bytes(text.encode("gb18030"))
    assert text_of_cells(path) == text


def test_big5_may_be_declared_and_then_covers_hong_kong(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    text = "姓名,地區\n陳小明,深水埗\n"
    path.write_bytes(text.encode("big5hkscs"))
    assert text_of_cells(path, "big5") == text
    path.write_bytes("姓名\n王\n".encode("gb18030") + b"\xff\n")
    with pytest.raises(SourceUnreadable, match="not valid big5 from byte"):
        read(path, Source("csv", "big5"))
