"""HTTP route of presence."""

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from chat_mvp.features.presence.service import PresenceService
from chat_mvp.http.auth import Caller
from chat_mvp.http.openapi import problems
from chat_mvp.http.params import PathId, path_id
from chat_mvp.protocol import PresenceState


@get(
    "/users/{user_id:str}/presence",
    summary="Get a user's presence",
    tags=["users"],
    responses=problems(401, 404),
)
async def fetch(caller: Caller, presence_service: NamedDependency[PresenceService], user_id: PathId) -> PresenceState:
    """Return the presence of a user. If one of the two has blocked the other, it is always ``offline``."""
    return await presence_service.fetch(caller.user_id, path_id(user_id))


ROUTES: list[HTTPRouteHandler] = [fetch]
