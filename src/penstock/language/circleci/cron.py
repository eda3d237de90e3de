"""What only this server accepts in the cron texts of scheduled workflows."""


def find_cron_doubt(text: str) -> str:
    """What the vendor does not accept although it has a meaning (CircleCI config reference: cron)."""
    if "/" in text:
        return "steps ('*/20')"
    return "ranges inside lists" if any("," in word and "-" in word for word in text.split()) else ""
