"""The rules for names, descriptions and addresses of conversations."""

from msgspec import UNSET, UnsetType

from chat_mvp.characters import name_complaint, paragraph_complaint
from chat_mvp.errors import ValidationError
from chat_mvp.urls import url_complaint


def check_texts(
    *,
    name: str | UnsetType | None = UNSET,
    description: str | UnsetType = UNSET,
    avatar_url: str | UnsetType | None = UNSET,
) -> None:
    """Raise one ``ValidationError`` that names every field that breaks its rule; fields left out are not checked."""
    complaints: dict[str, str | None] = {}
    if isinstance(name, str):
        complaints["name"] = name_complaint(name)
    if isinstance(description, str):
        complaints["description"] = paragraph_complaint(description)
    if isinstance(avatar_url, str):
        complaints["avatar_url"] = url_complaint(avatar_url)
    fields = {field: complaint for field, complaint in complaints.items() if complaint is not None}
    if fields:
        sentences = (f"{field} {complaint}." for field, complaint in fields.items())
        raise ValidationError(" ".join(sentences), fields=fields)
