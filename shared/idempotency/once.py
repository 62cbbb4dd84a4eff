"""Run a use case once for a key, and give the first answer to everybody who asks again."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.db.unit_of_work import UnitOfWork
from shared.idempotency.keys import Answer, IdempotentRequest
from shared.idempotency.store import claim, keep
from shared.problems import Problem
from shared.problems.document import MEDIA_TYPE, problem_document

Work = TypeVar("Work", bound=UnitOfWork)

_KEPT_REFUSALS = frozenset({409, 422})
"""A refusal of the request itself is its answer for ever. Who the caller is (401, 403, 404) and how busy the platform
is (429, 5xx) may differ at the next try, so those are not kept."""


async def once(
    unit_of_work: Callable[[], Work], request: IdempotentRequest, use_case: Callable[[Work], Awaitable[Answer]]
) -> Answer:
    """The answer of `use_case`, run inside one unit of work that also keeps the key.

    A refusal (`Problem`) with status 409 or 422 is kept too, after everything else was rolled back, and raised.
    """
    try:
        async with unit_of_work() as work:
            if earlier := await claim(work.connection, request):
                return earlier
            answer = await use_case(work)
            await keep(work.connection, request, answer)
            return answer
    except Problem as problem:
        if problem.status in _KEPT_REFUSALS and not problem.code.startswith("idempotency_"):
            return await _keep_refusal(unit_of_work, request, problem)
        raise


async def _keep_refusal(unit_of_work: Callable[[], Work], request: IdempotentRequest, problem: Problem) -> Answer:
    answer = Answer(problem.status, problem_document(problem), media_type=MEDIA_TYPE, headers=problem.headers)
    async with unit_of_work() as work:
        if earlier := await claim(work.connection, request):
            return earlier
        await keep(work.connection, request, answer)
    return answer
