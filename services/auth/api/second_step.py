"""Second steps: of a login, and of something in a session that wants a fresh proof."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field, SecretStr, model_validator

from services.auth.api.callers import Caller
from services.auth.api.fields import GivenPassword, Secret
from services.auth.api.origin import LoginOrigin, RequestOrigin
from services.auth.api.session_answer import SessionView, session_answer
from services.auth.commands import finish_login as finishing
from services.auth.commands import step_up as stepping_up
from services.auth.commands.check_factor import Proof
from services.auth.context import Ctx
from services.auth.domain.second_factor import MfaMethod
from shared.http.schemas import Body, View

router = APIRouter(prefix="/v1/auth", tags=["second factors"])

Code = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=40,
        description="The code of the app, of the message, or a recovery code; spaces and dashes do not matter",
        examples=["123456"],
    ),
]
Credential = Annotated[
    dict[str, Any], Field(max_length=12, description="What `navigator.credentials` answered, as its `toJSON()` says it")
]


class MfaRequiredView(View):
    """The password is right, and a second factor is wanted: go on with POST /v1/auth/login/mfa."""

    mfa_required: Literal[True] = True
    mfa_token: str = Field(description="Names this login; good for some minutes and for one success")
    methods: list[MfaMethod] = Field(description="What it can be finished with, best first")
    expires_in: int = Field(description="Seconds that `mfa_token` is good for", examples=[300])
    sent_to: str | None = Field(description="Where a code is on its way to, when the first method is a message")


class _Proving(Body):
    code: Code | None = None
    credential: Credential | None = None

    def _needs(self, method: str) -> None:
        if method == "passkey" and self.credential is None:
            raise ValueError("give the `credential` that the passkey answered")
        if method not in ("passkey", "password") and self.code is None:
            raise ValueError("give the `code`")

    def proof_of(self, method: MfaMethod) -> Proof:
        """What is to be checked."""
        return Proof(method, self.code.get_secret_value() if self.code else "", self.credential)


class LogInMfaBody(_Proving):
    """The second step of a login: with `passkey` a `credential`, with any other method a `code`."""

    mfa_token: Secret
    method: MfaMethod = Field(examples=["totp"])

    @model_validator(mode="after")
    def _complete(self) -> "LogInMfaBody":
        self._needs(self.method)
        return self


class MfaChallengeBody(Body):
    """For which login, and with what it is to be finished."""

    mfa_token: Secret
    method: Literal["passkey", "sms", "email"] = Field(examples=["sms"])


class StepUpChallengeBody(Body):
    """With what you are going to prove that it is you."""

    method: Literal["passkey", "sms", "email"] = Field(examples=["sms"])


class StepUpBody(_Proving):
    """A proof that it is you: a `code`, a `credential`, or, only where the account has no second factor, the `password`."""

    method: MfaMethod | Literal["password"] = Field(examples=["totp"])
    password: GivenPassword | None = None

    @model_validator(mode="after")
    def _complete(self) -> "StepUpBody":
        if self.method == "password" and self.password is None:
            raise ValueError("give the `password`")
        self._needs(self.method)
        return self


class ChallengeView(View):
    """What the method needs: a code is on its way, or a passkey is to sign."""

    method: MfaMethod
    sent_to: str | None = Field(description="Where the code went, masked")
    passkey_options: dict[str, Any] | None = Field(
        description="For `PublicKeyCredential.parseRequestOptionsFromJSON()` and `navigator.credentials.get()`"
    )


def mfa_required_view(step: finishing.SecondStep) -> MfaRequiredView:
    """What the client goes on with."""
    return MfaRequiredView(
        mfa_token=step.token, methods=list(step.methods), expires_in=step.expires_in_seconds, sent_to=step.sent_to
    )


def _challenge_view(challenge: finishing.Challenge) -> ChallengeView:
    return ChallengeView(method=challenge.method, sent_to=challenge.sent_to, passkey_options=challenge.passkey_options)


@router.post("/login/mfa")
async def finish_login(body: LogInMfaBody, context: Ctx, origin: LoginOrigin, response: Response) -> SessionView:
    """Finish a login with a second factor.

    A wrong code is 401 `code_invalid`; try again with the same `mfa_token`. After some of them the answer is 429 for a while.
    """
    tokens = await finishing.finish_login(context, body.mfa_token.get_secret_value(), body.proof_of(body.method), origin)
    return session_answer(context, tokens, response)


@router.post("/login/mfa/challenge")
async def challenge_login(body: MfaChallengeBody, context: Ctx, origin: RequestOrigin) -> ChallengeView:
    """Have a code sent for a login that waits, or get what a passkey is to sign. An earlier code stops working."""
    return _challenge_view(await finishing.challenge_login(context, body.mfa_token.get_secret_value(), body.method, origin))


@router.post("/step-up/challenge")
async def challenge_step_up(body: StepUpChallengeBody, context: Ctx, caller: Caller, origin: RequestOrigin) -> ChallengeView:
    """Have a code sent for a step-up, or get what a passkey is to sign."""
    found = await stepping_up.challenge_step_up(context, caller.id, caller.session_id, body.method, origin)
    return _challenge_view(found)


@router.post("/step-up")
async def step_up(body: StepUpBody, context: Ctx, caller: Caller, origin: RequestOrigin, response: Response) -> SessionView:
    """Prove once more that it is you, and get fresh tokens of the same session.

    What matters most (paying out, API clients, second factors, the password) wants such a proof of the last 10 minutes:
    without one it answers 401 `step_up_required` with the `methods` that your account has.
    """
    if body.method == "password":
        password = body.password.get_secret_value() if body.password else ""
        tokens = await stepping_up.step_up_with_password(context, caller.id, caller.session_id, password, origin)
    else:
        proof = body.proof_of(body.method)
        tokens = await stepping_up.step_up(context, caller.id, caller.session_id, proof, origin)
    return session_answer(context, tokens, response)
