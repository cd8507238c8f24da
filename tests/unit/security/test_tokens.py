from datetime import UTC, datetime, timedelta

import jwt
import pytest

from chat_mvp.errors import TokenExpiredError, UnauthenticatedError
from chat_mvp.limits import TOKEN_FUTURE_S
from chat_mvp.security.keys import SigningKey
from chat_mvp.security.tokens import Tokens

OLD, NEW = SigningKey("old", b"o" * 64), SigningKey("new", b"n" * 64)
LIFETIME_S = 86_400  # the run of all tests has to fit in: NOW is when they were collected
NOW = datetime.now(UTC)
CLAIMS = {"sub": "u", "sid": "s", "jti": "j", "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + LIFETIME_S}


def issued(tokens: Tokens, at: datetime = NOW) -> str:
    return tokens.issue(user_id="u", session_id="s", token_id="j", at=at).text


def test_a_token_has_its_user_and_lifetime() -> None:
    tokens = Tokens([NEW], lifetime_s=LIFETIME_S)
    token = tokens.issue(user_id="u", session_id="s", token_id="j", at=NOW)
    claims = tokens.verify(token.text)
    assert (claims.sub, claims.sid, claims.jti) == ("u", "s", "j")
    assert claims.exp - claims.iat == LIFETIME_S
    assert claims.exp == token.expires_at
    assert jwt.get_unverified_header(token.text) == {"alg": "HS256", "kid": "new", "typ": "JWT"}


def test_the_same_question_gets_the_same_token() -> None:
    assert issued(Tokens([NEW], lifetime_s=LIFETIME_S)) == issued(Tokens([NEW, OLD], lifetime_s=LIFETIME_S))


def test_the_newest_key_signs_and_all_verify() -> None:
    rotated = Tokens([NEW, OLD], lifetime_s=LIFETIME_S)
    assert rotated.verify(issued(Tokens([OLD], lifetime_s=LIFETIME_S))).sub == "u"
    assert Tokens([NEW], lifetime_s=LIFETIME_S).verify(issued(rotated)).sub == "u"
    with pytest.raises(UnauthenticatedError):
        Tokens([OLD], lifetime_s=LIFETIME_S).verify(issued(rotated))


def test_a_token_that_has_ended() -> None:
    tokens = Tokens([NEW], lifetime_s=LIFETIME_S)
    with pytest.raises(TokenExpiredError):
        tokens.verify(issued(tokens, NOW - timedelta(seconds=LIFETIME_S + 1)))


def test_a_token_of_a_clock_that_is_ahead_is_good() -> None:
    tokens = Tokens([NEW], lifetime_s=LIFETIME_S)
    assert tokens.verify(issued(tokens, NOW + timedelta(seconds=30))).sub == "u"


@pytest.mark.parametrize(
    ("off_s", "is_good"),
    [
        (TOKEN_FUTURE_S - 1, True),
        (TOKEN_FUTURE_S + 1, False),
        (3_600, False),
        (LIFETIME_S * 400, False),
        (-LIFETIME_S + 1, True),
        (-LIFETIME_S, False),
    ],
)
def test_a_token_is_good_by_the_clock_of_the_server(off_s: int, is_good: bool) -> None:
    """Whatever this machine takes for the time: the token is issued so far from now as the server's clock says."""
    long_ago = datetime(2001, 9, 9, tzinfo=UTC)
    tokens = Tokens([NEW], lifetime_s=LIFETIME_S, clock=lambda: long_ago)
    token = issued(tokens, long_ago + timedelta(seconds=off_s))
    if is_good:
        assert tokens.verify(token).sub == "u"
        return
    # A refresh helps, so the client asks for one instead of signing out.
    with pytest.raises(TokenExpiredError):
        tokens.verify(token)


@pytest.mark.parametrize("missing", CLAIMS)
def test_a_token_that_leaves_something_out(missing: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != missing}
    token = jwt.encode(claims, NEW.secret, algorithm="HS256", headers={"kid": "new"})
    with pytest.raises(UnauthenticatedError):
        Tokens([NEW], lifetime_s=LIFETIME_S).verify(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "é" * 40,
        "." * 200,
        "\ud800",
        jwt.encode(CLAIMS, b"x" * 64, algorithm="HS256", headers={"kid": "new"}),
        jwt.encode(CLAIMS, NEW.secret, algorithm="HS512", headers={"kid": "new"}),
        jwt.encode(CLAIMS, None, algorithm="none", headers={"kid": "new"}),
        jwt.encode(CLAIMS, NEW.secret, algorithm="HS256", headers={"kid": "unknown"}),
        jwt.encode(CLAIMS, NEW.secret, algorithm="HS256"),
        jwt.encode(CLAIMS | {"sid": 5}, NEW.secret, algorithm="HS256", headers={"kid": "new"}),
        # Expired and not ours: the answer does not say that it has expired.
        jwt.encode(CLAIMS | {"exp": 5}, b"x" * 64, algorithm="HS256", headers={"kid": "new"}),
    ],
)
def test_what_is_no_token_of_ours(token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        Tokens([NEW], lifetime_s=LIFETIME_S).verify(token)
