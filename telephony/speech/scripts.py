"""Which voice says which part of a text: runs by script, and Chinese characters as pinyin.

espeak-ng's Mandarin voice for characters reads badly; its pinyin voice reads well what pypinyin writes.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pypinyin import Style, lazy_pinyin, load_phrases_dict, load_single_dict
from pypinyin.contrib.tone_convert import to_tone

Script = Literal["han", "hangul", "latin"]

# Readings that pypinyin's phrase list lacks or gets wrong in what call centres say. Longer phrases win.
LEXICON: dict[str, str] = {
    "银行": "yin2 hang2",
    "行号": "hang2 hao4",
    "分行": "fen1 hang2",
    "支行": "zhi1 hang2",
    "本行": "ben3 hang2",
    "我行": "wo3 hang2",
    "他行": "ta1 hang2",
    "跨行": "kua4 hang2",
    "同行": "tong2 hang2",
    "总行": "zong3 hang2",
    "开户行": "kai1 hu4 hang2",
    "发卡行": "fa1 ka3 hang2",
    "建行": "jian4 hang2",
    "工行": "gong1 hang2",
    "农行": "nong2 hang2",
    "中行": "zhong1 hang2",
    "招行": "zhao1 hang2",
    "交行": "jiao1 hang2",
    "行长": "hang2 zhang3",
    "行业": "hang2 ye4",
    "重新": "chong2 xin1",
    "重复": "chong2 fu4",
    "重听": "chong2 ting1",
    "重录": "chong2 lu4",
    "重拨": "chong2 bo1",
    "重播": "chong2 bo1",
    "重试": "chong2 shi4",
    "重输": "chong2 shu1",
    "重置": "chong2 zhi4",
    "重设": "chong2 she4",
    "重发": "chong2 fa1",
    "还款": "huan2 kuan3",
    "还款日": "huan2 kuan3 ri4",
    "还款额": "huan2 kuan3 e2",
    "还清": "huan2 qing1",
    "还贷": "huan2 dai4",
    "应还": "ying1 huan2",
    "未还": "wei4 huan2",
    "已还": "yi3 huan2",
    "待还": "dai4 huan2",
    "归还": "gui1 huan2",
    "退还": "tui4 huan2",
    "偿还": "chang2 huan2",
    "还需": "hai2 xu1",
    "还有": "hai2 you3",
    "数字": "shu4 zi4",
    "数字键": "shu4 zi4 jian4",
    "数额": "shu4 e2",
    "数量": "shu4 liang4",
    "位数": "wei4 shu4",
    "次数": "ci4 shu4",
    "分数": "fen1 shu4",
    "倒数": "dao4 shu3",
    "数一数": "shu3 yi5 shu3",
    "余额为": "yu2 e2 wei2",
    "金额为": "jin1 e2 wei2",
    "号码为": "hao4 ma3 wei2",
    "时间为": "shi2 jian1 wei2",
    "积分为": "ji1 fen1 wei2",
    "尾号为": "wei3 hao4 wei2",
    "日期为": "ri4 qi1 wei2",
    "为您": "wei4 nin2",
    "为你": "wei4 ni3",
    "设为": "she4 wei2",
    "视为": "shi4 wei2",
    "转接": "zhuan3 jie1",
    "转账": "zhuan3 zhang4",
    "转人工": "zhuan3 ren2 gong1",
    "中奖": "zhong4 jiang3",
    "空闲": "kong4 xian2",
    "空号": "kong1 hao4",
    "应答": "ying4 da2",
    "供应": "gong1 ying4",
    "提供": "ti2 gong1",
    "调整": "tiao2 zheng3",
    "调解": "tiao2 jie3",
    "调查": "diao4 cha2",
    "假期": "jia4 qi1",
    "节假日": "jie2 jia4 ri4",
    "休假": "xiu1 jia4",
    "放假": "fang4 jia4",
    "长途": "chang2 tu2",
    "时长": "shi2 chang2",
    "店长": "dian4 zhang3",
    "便宜": "pian2 yi5",
    "更改": "geng1 gai3",
    "更换": "geng1 huan4",
    "更正": "geng1 zheng4",
    "更新": "geng1 xin1",
    "变更": "bian4 geng1",
    "差额": "cha1 e2",
    "出差": "chu1 chai1",
    "处理": "chu3 li3",
    "到处": "dao4 chu4",
    "办事处": "ban4 shi4 chu4",
    "打折": "da3 zhe2",
    "答应": "da1 ying5",
    "会计": "kuai4 ji4",
    "音乐": "yin1 yue4",
    "角色": "jue2 se4",
    "校验": "jiao4 yan4",
    "校对": "jiao4 dui4",
    "一下": "yi2 xia4",
    "了解": "liao2 jie3",
    "率": "lv4",
    "请稍等": "qing3 shao1 deng3",
    "好的": "hao3 de5",
    "得分": "de2 fen1",
    "觉得": "jue2 de5",
    "不了": "bu4 liao3",
    "血压": "xue4 ya1",
    "供给": "gong1 ji3",
    "给予": "ji3 yu3",
    "载": "zai4",
    "下载": "xia4 zai4",
    "朝阳": "chao2 yang2",
    "重庆": "chong2 qing4",
    "厦门": "xia4 men2",
    "单号": "dan1 hao4",
    "挂号": "gua4 hao4",
    "参与": "can1 yu4",
    "分钟": "fen1 zhong1",
    "积分": "ji1 fen1",
    "身份": "shen1 fen4",
    "幺": "yao1",
}

_PUNCTUATION = str.maketrans(
    dict(zip("，。！？；：、…—（）()【】[]{}|", ",.!?;:,.,,,,,,,,,,,,", strict=True))
    | dict.fromkeys("“”‘’《》「」<>", "")
    | dict.fromkeys("_\\^`", " ")
)
_FIGURES = dict(zip("0123456789", "零一二三四五六七八九", strict=True))


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text in one script."""

    script: Script
    text: str


@cache
def _load_lexicon() -> None:
    load_phrases_dict(
        {
            phrase: [[to_tone(syllable.replace("5", ""))] for syllable in reading.split()]
            for phrase, reading in LEXICON.items()
            if len(phrase) > 1
        }
    )
    load_single_dict({ord(phrase): to_tone(reading) for phrase, reading in LEXICON.items() if len(phrase) == 1})


def pinyin(text: str) -> str:
    """Chinese text as pinyin with tone numbers for the voice ``cmn-latn-pinyin``; punctuation becomes pauses."""
    _load_lexicon()
    # A bare figure would be taken for a tone.
    characters = "".join(_FIGURES.get(sign, sign) for sign in text.translate(_PUNCTUATION))
    syllables = lazy_pinyin(characters, style=Style.TONE3, neutral_tone_with_five=True, errors=_other_signs)
    return re.sub(r"\s+", " ", re.sub(r" +([,.!?;:])", r"\1", " ".join(syllables))).strip()


def _other_signs(signs: str) -> str:
    # What has no reading is left out; pauses stay.
    return re.sub(r"[^,.!?;: a-zA-Z]", "", signs)


def _script(sign: str) -> Script | None:
    point = ord(sign)
    if 0x3400 <= point <= 0x9FFF or 0xF900 <= point <= 0xFAFF or 0x20000 <= point <= 0x323AF or sign in "〇々":
        return "han"
    if 0xAC00 <= point <= 0xD7A3 or 0x1100 <= point <= 0x11FF or 0x3130 <= point <= 0x318F:
        return "hangul"
    if unicodedata.category(sign)[0] == "L":
        return "latin"
    return None


def runs(text: str, base: Script) -> list[Run]:
    """Split a text by script.

    Signs go with what stands before them, figures with the letters they touch, else with `base`.
    """
    marked: list[Script | None] = []
    for at, sign in enumerate(text):
        script = _script(sign)
        if script is None and sign.isdigit():
            touching = marked[at - 1] if at else None
            joined = touching == "latin" and (text[at - 1].isalnum() or text[at - 1] in ".-")
            ahead = re.match(r"\d+([A-Za-z])", text[at:])
            script = "latin" if joined or ahead else base
        elif script is None and at:
            script = marked[at - 1]
        marked.append(script)
    first = next((script for script in marked if script), base)
    pieces: list[Run] = []
    for sign, script in zip(text, marked, strict=True):
        script = script or first
        if pieces and pieces[-1].script == script:
            pieces[-1] = Run(script, pieces[-1].text + sign)
        else:
            pieces.append(Run(script, sign))
    return [run for run in pieces if any(_script(sign) or sign.isdigit() for sign in run.text)]
