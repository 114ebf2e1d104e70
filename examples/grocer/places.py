"""Chinese places as people write them: the city that is meant, and the spellings that name it."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A city with its province (short forms), formal name, English spelling, and traditional characters where they differ."""

    province: str
    city: str
    formal: str
    english: str
    traditional: str = ""

    def spellings(self) -> tuple[str, ...]:
        """The ways to write it from which the city can be told."""
        same = self.province == self.city
        joined = (
            (f"{self.city}市{self.city}市",)
            if same
            else (f"{self.province}{self.city}", f"{self.province} {self.city}", f"{self.province}/{self.city}市")
        )
        return (self.formal, self.city, f"{self.city}市", *joined)

    def spelled(self, chance: random.Random) -> str:
        """One of the spellings; now and then English or traditional."""
        if chance.random() < 0.04:
            return chance.choice((self.english, self.english.lower(), self.english.replace(" ", "")))
        if self.traditional and chance.random() < 0.1:
            return self.traditional
        return chance.choice(self.spellings())

    def too_vague(self, chance: random.Random) -> str:
        """What stands in the cell when the city is not known: the province at best."""
        vague = ("", "", "", "无", "N/A", "-", "其他", "外地")
        return chance.choice(
            vague if self.province == self.city else (*vague, self.province, self.formal.split(self.city)[0])
        )


PLACES = (
    Place("上海", "上海", "上海市", "ShangHai"),
    Place("上海", "上海", "上海市", "Shanghai"),
    Place("北京", "北京", "北京市", "Beijing"),
    Place("天津", "天津", "天津市", "Tianjin"),
    Place("重庆", "重庆", "重庆市", "Chongqing", "重慶市"),
    Place("浙江", "杭州", "浙江省杭州市", "Hangzhou"),
    Place("浙江", "宁波", "浙江省宁波市", "Ningbo", "浙江省寧波市"),
    Place("江苏", "南京", "江苏省南京市", "Nanjing", "江蘇省南京市"),
    Place("江苏", "苏州", "江苏省苏州市", "Suzhou, Jiangsu", "江蘇省蘇州市"),
    Place("江苏", "无锡", "江苏省无锡市", "Wuxi", "江蘇省無錫市"),
    Place("安徽", "合肥", "安徽省合肥市", "Hefei"),
    Place("广东", "广州", "广东省广州市", "Guangzhou", "廣東省廣州市"),
    Place("广东", "深圳", "广东省深圳市", "Shenzhen", "廣東省深圳市"),
    Place("四川", "成都", "四川省成都市", "Chengdu"),
    Place("湖北", "武汉", "湖北省武汉市", "Wuhan", "湖北省武漢市"),
    Place("湖南", "长沙", "湖南省长沙市", "Changsha", "湖南省長沙市"),
    Place("陕西", "西安", "陕西省西安市", "Xi'an", "陝西省西安市"),
    Place("山东", "青岛", "山东省青岛市", "Qingdao", "山東省青島市"),
    Place("山东", "济南", "山东省济南市", "Jinan", "山東省濟南市"),
    Place("福建", "厦门", "福建省厦门市", "Xiamen", "福建省廈門市"),
    Place("广西", "南宁", "广西壮族自治区南宁市", "Nanning"),
    Place("内蒙古", "呼和浩特", "内蒙古自治区呼和浩特市", "Hohhot"),
)
