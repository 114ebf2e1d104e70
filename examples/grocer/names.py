"""Words to compose people from: common surnames with their Latin spelling, given names, prefixes of Chinese mobile numbers."""

_SURNAMES = """
王 wang 李 li 张 zhang 刘 liu 陈 chen 杨 yang 黄 huang 赵 zhao 吴 wu 周 zhou 徐 xu 孙 sun 马 ma 朱 zhu 胡 hu 郭 guo 何 he 林 lin 罗 luo 梁 liang
宋 song 郑 zheng 谢 xie 韩 han 唐 tang 冯 feng 于 yu 董 dong 萧 xiao 程 cheng 曹 cao 袁 yuan 邓 deng 许 xu 傅 fu 沈 shen 曾 zeng 彭 peng 吕 lv 苏 su
"""
_PREFIXES = "133 134 135 136 137 138 139 150 151 152 155 156 157 158 159 166 173 176 177 178 180 182 185 186 187 188 189 191 198 199"

SURNAMES = tuple(zip(_SURNAMES.split()[::2], _SURNAMES.split()[1::2], strict=True))
GIVEN_FEMALE = "芳娜敏静丽艳娟霞秀英慧巧美玲桂兰洁梅琳雪莉蓉婷雅欣怡"
GIVEN_MALE = "伟强磊军洋勇杰涛超明刚平辉鹏华飞波斌宇浩凯健俊帆峰"
MOBILE_PREFIXES = tuple(_PREFIXES.split())
