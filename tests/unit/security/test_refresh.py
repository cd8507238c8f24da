import pytest

from chat_mvp.security.keys import SigningKey
from chat_mvp.security.refresh import TOKEN_CHARS, RefreshTokens, hash_token

OLD, NEW = SigningKey("old", b"o" * 64), SigningKey("new", b"n" * 64)
SESSION = "0123456789abcdef01234567"


def test_a_successor_is_the_same_after_a_restart() -> None:
    token = RefreshTokens([NEW]).first(SESSION)
    assert list(RefreshTokens([NEW]).successors(token)) == list(RefreshTokens([NEW]).successors(token))


def test_every_token_of_a_chain_is_another_and_knows_its_session() -> None:
    tokens = RefreshTokens([NEW])
    chain = [tokens.first(SESSION)]
    for _ in range(5):
        chain.append(next(tokens.successors(chain[-1])))
    assert len(set(chain)) == len({hash_token(token) for token in chain}) == 6
    assert {tokens.session_of(token) for token in chain} == {SESSION}
    assert {len(token) for token in chain} == {TOKEN_CHARS}
    assert len({tokens.access_token_id(token) for token in chain}) == 6


def test_first_tokens_are_random() -> None:
    tokens = RefreshTokens([NEW])
    assert tokens.first(SESSION) != tokens.first(SESSION)


def test_what_was_answered_before_a_rotation_can_be_answered_after_it() -> None:
    before, after = RefreshTokens([OLD]), RefreshTokens([NEW, OLD])
    token = before.first(SESSION)
    answered = next(before.successors(token))
    newest, *others = after.successors(token)
    assert answered in others
    assert newest != answered
    assert after.session_of(token) == after.session_of(newest) == SESSION


def test_a_successor_needs_the_key() -> None:
    token = RefreshTokens([NEW]).first(SESSION)
    assert set(RefreshTokens([NEW]).successors(token)).isdisjoint(RefreshTokens([OLD]).successors(token))


def test_a_token_of_a_removed_key_belongs_to_no_session() -> None:
    assert RefreshTokens([NEW]).session_of(RefreshTokens([OLD]).first(SESSION)) is None


def test_what_is_no_token() -> None:
    tokens = RefreshTokens([NEW])
    token = tokens.first(SESSION)
    for invention in ("", "nonsense", token[:-1], token + "x", "A" * TOKEN_CHARS, "é" * TOKEN_CHARS, "=" * TOKEN_CHARS):
        assert tokens.session_of(invention) is None


@pytest.mark.parametrize("place", range(0, TOKEN_CHARS, 7))
def test_a_token_with_a_letter_changed_ends_no_session(place: int) -> None:
    tokens = RefreshTokens([NEW])
    token = tokens.first(SESSION)
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    assert tokens.session_of(changed) is None
