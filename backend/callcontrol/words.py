"""Refusals of a conversation in both languages."""

from collections.abc import Mapping

from backend.errors import ConflictError, DomainError, NotFoundError
from nodes.sdk.text import Text, text
from telephony.conversation import ControlError

WORDS: Mapping[str, Text] = {
    found.en: found
    for found in (
        text("通话已结束", "the call is over"),
        text("此通话目前无人交谈", "nobody talks in this call now"),
        text("交谈已结束", "the talk is over"),
        text("只能保持普通通话", "only a plain talk can be held"),
        text("客户正在转接中", "the customer is being transferred"),
        text("已有人在咨询中", "somebody is consulted already"),
        text("没有咨询对象", "nobody is consulted"),
        text("没有已接听的咨询对象", "nobody who has answered is consulted"),
        text("转接正在进行", "a transfer is under way"),
        text("坐席已离开此通话", "the agent has left this talk"),
        text("该班长不在此通话中", "this supervisor is not in the talk"),
        text("班长尚未接听", "the supervisor has not answered yet"),
        text("对方正在操作此通话", "the other one is steering this call"),
        text("没有可转出的对方", "there is nobody to leave"),
        text("由坐席拨出的通话请用号码转出", "the agent placed this call: give the call on by its number"),
        text("由坐席拨出的通话请用加入方式", "the agent placed this call: join it instead"),
        text("按键只能是 0-9、*、# 和 A-D，最多 64 个", "keys are 0-9, *, # and A-D, 64 at most"),
    )
}


def refusal(problem: ControlError) -> DomainError:
    """A refused order as the API tells it."""
    said = str(problem)
    words = WORDS.get(said, text(f"无法执行：{said}", said))
    remedy = text("请查看通话的当前状态。", "Look at how the call stands now.")
    if problem.reason in ("no_call", "no_talk"):
        return NotFoundError(words, field="call_id", code=problem.reason, remedy=remedy)
    return ConflictError(words, code=problem.reason, remedy=remedy)
