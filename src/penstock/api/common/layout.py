"""Whoever asks for plain text gets JSON laid out for eyes (CircleCI API v2: Accept)."""

import msgspec

from penstock.api.common.answer import JSON, TEXT, Answer
from penstock.api.common.call import Call

_ASKS = TEXT.partition(";")[0]


def lay_out(call: Call, answer: Answer) -> Answer:
    """The answer as it is, or as indented text when it is JSON and the caller would have text rather."""
    if answer.media != JSON or not isinstance(answer.body, bytes) or not answer.body:
        return answer
    wanted = call.header("accept")
    if _ASKS not in wanted or JSON in wanted:
        return answer
    headers = (*answer.headers, ("x-content-type-options", "nosniff"))
    return msgspec.structs.replace(answer, body=msgspec.json.format(answer.body), media=TEXT, headers=headers)
