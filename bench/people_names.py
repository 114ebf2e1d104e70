"""Material of invented people: surnames, given names by their sound, traditional spellings, companies, cities.

What belongs here: lists, and no row. What does not: how records are made of them (people.py).
"""

SURNAMES = {
    "王": ("wang", 72), "李": ("li", 71), "张": ("zhang", 67), "刘": ("liu", 52), "陈": ("chen", 45), "杨": ("yang", 31), "黄": ("huang", 22),
    "赵": ("zhao", 23), "吴": ("wu", 20), "周": ("zhou", 19), "徐": ("xu", 14), "孙": ("sun", 14), "马": ("ma", 13), "朱": ("zhu", 12),
    "胡": ("hu", 12), "郭": ("guo", 11), "何": ("he", 11), "林": ("lin", 11), "高": ("gao", 10), "罗": ("luo", 10), "郑": ("zheng", 9),
    "梁": ("liang", 9), "谢": ("xie", 8), "宋": ("song", 8), "唐": ("tang", 7), "许": ("xu", 7), "韩": ("han", 7), "冯": ("feng", 7),
    "邓": ("deng", 6), "曹": ("cao", 6), "彭": ("peng", 6), "曾": ("zeng", 6), "肖": ("xiao", 6), "田": ("tian", 5), "董": ("dong", 5),
    "袁": ("yuan", 5), "潘": ("pan", 5), "于": ("yu", 5), "蒋": ("jiang", 5), "蔡": ("cai", 5), "余": ("yu", 5), "杜": ("du", 5),
    "叶": ("ye", 5), "程": ("cheng", 5), "苏": ("su", 4), "魏": ("wei", 4), "吕": ("lv", 4), "丁": ("ding", 4), "任": ("ren", 4),
    "沈": ("shen", 4), "姚": ("yao", 4), "卢": ("lu", 4), "姜": ("jiang", 4), "崔": ("cui", 4), "钟": ("zhong", 4), "谭": ("tan", 4),
    "陆": ("lu", 4), "汪": ("wang", 3), "范": ("fan", 3), "金": ("jin", 3), "石": ("shi", 3), "廖": ("liao", 3), "贾": ("jia", 3),
    "夏": ("xia", 3), "韦": ("wei", 3), "付": ("fu", 3), "方": ("fang", 3), "白": ("bai", 3), "邹": ("zou", 3), "孟": ("meng", 2),
    "熊": ("xiong", 2), "秦": ("qin", 2), "邱": ("qiu", 2), "江": ("jiang", 2), "尹": ("yin", 2), "薛": ("xue", 2), "闫": ("yan", 2),
    "段": ("duan", 2), "雷": ("lei", 2), "侯": ("hou", 2), "龙": ("long", 2), "史": ("shi", 2), "陶": ("tao", 2), "黎": ("li", 2),
    "贺": ("he", 2), "顾": ("gu", 2), "毛": ("mao", 2), "郝": ("hao", 2), "龚": ("gong", 2), "邵": ("shao", 2), "章": ("zhang", 1),
}  # fmt: skip
"""Surname -> how it sounds, and how common it is (per mille, roughly)."""

SOUNDS = {
    "wei": "伟薇炜维威玮卫", "jie": "杰洁捷婕", "li": "丽莉力立利理俐", "min": "敏民旻", "yan": "艳燕妍岩彦雁", "hua": "华桦", "xin": "欣新鑫馨昕心",
    "jun": "军君俊骏钧", "hui": "辉慧惠卉晖", "ling": "玲凌灵龄", "fang": "芳方昉", "na": "娜", "jing": "静晶京婧菁景敬", "ying": "英莹颖瑛盈",
    "yu": "宇雨玉钰瑜羽昱", "hao": "浩昊皓豪", "bo": "博波勃", "tao": "涛韬滔", "ping": "平萍", "mei": "梅美玫", "lei": "磊蕾雷", "bin": "斌彬滨",
    "gang": "刚钢纲", "chao": "超朝", "peng": "鹏朋", "long": "龙隆", "feng": "峰锋丰枫凤", "qiang": "强", "dong": "东冬栋", "xiao": "晓小潇筱",
    "hong": "红宏虹洪鸿", "jian": "建健剑坚", "guo": "国", "zhi": "志智治芝", "wen": "文雯", "ming": "明铭", "qing": "青清晴庆", "xia": "霞侠",
    "yun": "云芸昀", "rui": "瑞睿蕊锐", "yang": "洋阳扬", "ya": "雅亚娅", "ting": "婷庭亭", "xue": "雪学", "hai": "海", "shan": "山珊善",
    "lin": "林琳霖麟", "cheng": "成诚承", "yi": "怡艺毅依逸", "jia": "佳嘉家", "xuan": "萱轩璇", "zi": "子紫梓", "han": "涵晗", "qi": "琪奇祺琦",
    "zhen": "珍贞振", "xiu": "秀修", "lan": "兰岚", "gui": "桂贵", "juan": "娟", "jin": "金锦进", "chun": "春淳", "shu": "淑舒", "fei": "飞菲",
    "kai": "凯恺", "nan": "楠男南", "yue": "月悦跃", "ze": "泽", "hang": "航", "meng": "梦萌", "ke": "可科", "ran": "然冉", "dan": "丹", "sen": "森",
}  # fmt: skip
"""Sound -> characters of given names with that sound, the commoner first."""

TRADITIONAL = dict(
    zip(
        "张刘陈杨黄赵吴孙马罗郑谢许韩冯邓肖蒋叶苏吕卢钟谭陆贾韦邹闫龙顾贺龚伟维卫洁丽艳欣军骏钧辉凤灵龄莹颖玉钰韬涛萍磊斌滨刚钢纲鹏东栋晓潇红鸿坚健剑国铭庆侠云阳扬亚娅学诚艺嘉轩贞兰岚贵锦进飞凯恺跃泽梦",
        "張劉陳楊黃趙吳孫馬羅鄭謝許韓馮鄧蕭蔣葉蘇呂盧鍾譚陸賈韋鄒閆龍顧賀龔偉維衛潔麗艷欣軍駿鈞輝鳳靈齡瑩穎玉鈺韜濤萍磊斌濱剛鋼綱鵬東棟曉瀟紅鴻堅健劍國銘慶俠雲陽揚亞婭學誠藝嘉軒貞蘭嵐貴錦進飛凱愷躍澤夢",
        strict=True,
    )
)
"""Simplified -> traditional, of the characters above that have such a spelling."""

CITIES = (
    "北京", "上海", "广州", "深圳", "成都", "杭州", "武汉", "西安", "重庆", "南京", "天津", "苏州", "长沙", "郑州", "东莞",
    "青岛", "合肥", "佛山", "宁波", "昆明", "沈阳", "济南", "无锡", "厦门", "福州", "温州", "大连", "哈尔滨",
)  # fmt: skip
TRADES = (
    "科技", "贸易", "电子", "仪器", "生物", "机械", "食品", "软件", "医药", "化工", "建材", "物流", "自动化", "环保", "材料",
    "光电", "网络", "教育", "服饰", "能源",
)  # fmt: skip
FORMS = ("有限公司", "有限责任公司", "股份有限公司", "集团有限公司")
FREE_MAIL = ("qq.com", "163.com", "126.com", "gmail.com", "sina.com", "outlook.com")
ROLES = ("info", "sales", "office", "service", "hr")
TITLES = ("先生", "女士", "总", "经理", "老师")
MOBILE_HEADS = (
    "130", "131", "132", "133", "135", "136", "137", "138", "139", "150", "151", "152", "153", "155", "156", "157", "158", "159",
    "166", "173", "176", "177", "178", "180", "181", "182", "183", "185", "186", "187", "188", "189", "191", "198", "199",
)  # fmt: skip
SOURCES = {"crm": 30, "web_form": 26, "wechat": 20, "hotline_400": 14, "event": 10}
"""Source -> its share of the records (percent)."""
